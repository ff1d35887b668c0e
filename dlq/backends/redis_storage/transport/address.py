"""Connections to the server, and what its errors mean.

Every time-out is explicit and nothing is retried behind our back: redis-py 8 comes with 5 s and ten
retries, by which a retried push makes copies and a retried pop loses jobs.
"""

from __future__ import annotations

import inspect
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import redis
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
)

from dlq.backends.redis_storage.transport import probe
from dlq.config import active
from dlq.config.settings import Settings
from dlq.errors import BackendUnavailable, NoSuchDatabase

CLIENT_NAME = "dlq"
"""Of each connection, for CLIENT LIST."""

_NO_VERSION: Mapping[str, None] = (
    {"driver_info": None}
    if "driver_info" in inspect.signature(redis.connection.AbstractConnection).parameters
    else {"lib_name": None, "lib_version": None}
)
"""Or redis-py tells the server its version, for which each connection reads the package's metadata
anew: more than half of the time that connecting takes. Version 7 has another option for it."""

CONNECT_TIMEOUT = 5.0
"""Seconds. A server that takes longer to accept is away, for all that a web request can wait."""

BLOCKING_GRACE = 5.0
"""Seconds beyond a blocking command's own time after which its connection counts as dead: a
half-open one (power loss, a NAT entry that was dropped) never says so."""


class EncryptedConnection(redis.SSLConnection):
    """With the limit for connecting also while TLS is agreed upon, where redis-py waits as for any
    answer: a server without TLS would be waited for in vain, for half a minute."""

    def _wrap_socket_with_ssl(self, sock: socket.socket) -> ssl.SSLSocket:
        sock.settimeout(self.socket_connect_timeout)
        wrapped: ssl.SSLSocket = super()._wrap_socket_with_ssl(sock)  # type: ignore[no-untyped-call]  # redis-py's own is untyped
        wrapped.settimeout(self.socket_timeout)
        return wrapped


class Endpoint(NamedTuple):
    """A port on the network, and how it is spoken to."""

    host: str
    port: int
    is_encrypted: bool


class Address:
    """Where the server is: for connections, and for people (without the password)."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __str__(self) -> str:
        url = self._url()
        if url is None:
            return f"{self._settings.redis_host}:{self._settings.redis_port}"
        parts = urlsplit(url)
        if parts.scheme == "unix":
            return parts.path
        return f"{parts.hostname}:{parts.port or 6379}"

    def client(self, **more: Any) -> redis.Redis:
        """A client for short commands, with a pool of its own. Connects when first used."""
        kind, options = self._kind
        pool = redis.ConnectionPool(connection_class=kind, **options | more)
        return redis.Redis(connection_pool=pool)

    def connection(self, **more: Any) -> Any:
        """One of no pool, not connected yet. A client and its pool take longer to make than the
        connection itself."""
        kind, options = self._kind
        return kind(**options | more)

    @cached_property
    def _kind(self) -> tuple[type[Any], dict[str, Any]]:
        """The class of a connection, and its options. What a URL means, redis-py says."""
        settings, options = self._settings, self._options()
        url = self._url()
        if url is not None:
            pool = redis.ConnectionPool.from_url(url, **options)
            return pool.connection_class, pool.connection_kwargs
        password = settings.redis_password
        return redis.Connection, options | {
            "host": settings.redis_host,
            "port": settings.redis_port,
            "db": settings.redis_database,
            "password": None if password is None else password.get_secret_value(),
        }

    @property
    def endpoint(self) -> Endpoint | None:
        """None for a socket of this machine."""
        url = self._url()
        if url is None:
            return Endpoint(self._settings.redis_host, self._settings.redis_port, False)
        parts = urlsplit(url)
        if parts.scheme == "unix":
            return None
        return Endpoint(parts.hostname or "localhost", parts.port or 6379, parts.scheme == "rediss")

    @property
    def database(self) -> int:
        return int(self._kind[1].get("db") or 0)

    @property
    def database_setting(self) -> str:
        """The name of the one that says which database."""
        return "REDIS_DATABASE" if self._settings.redis_url is None else "REDIS_URL"

    def place_of(self, setting: str) -> str:
        """Where it was written, for the end of a sentence; empty where that isn't known."""
        source = active.source_of(setting, self._settings)
        return "" if source is None else f" ({source.location})"

    def _url(self) -> str | None:
        """With the scheme that redis-py knows: Valkey's names mean the same protocol."""
        if self._settings.redis_url is None:
            return None
        # By hand: urlunsplit leaves the slashes of `unix:///path` out.
        scheme, _, rest = self._settings.redis_url.get_secret_value().partition("://")
        known = {"valkey": "redis", "valkeys": "rediss"}.get(scheme, scheme)
        return f"{known}://{rest}"

    def _options(self) -> dict[str, Any]:
        timeout = self._settings.redis_socket_timeout
        # redis-py refuses the option for a socket of this machine, which never goes half-open.
        is_remote = not (self._url() or "").startswith("unix://")
        more: dict[str, Any] = {"socket_keepalive": True} if is_remote else {}
        if (self._url() or "").startswith("rediss://"):
            more["connection_class"] = EncryptedConnection
        return {
            **more,
            "socket_timeout": timeout,
            "socket_connect_timeout": CONNECT_TIMEOUT if timeout is None else min(5.0, timeout),
            # A connection that is given no way to retry makes one that never does.
            "retry": None,
            "retry_on_timeout": False,
            "retry_on_error": [],
            "health_check_interval": 0,
            "client_name": CLIENT_NAME,
            "protocol": 2,
            **_NO_VERSION,
        }


ACL_FAILURE = "ACL failure in script"
"""How a server refuses a command within a script. (It speaks of NOPERM for any other.)"""

SERVER_TROUBLE = (redis.RedisError, OSError)
"""What goes wrong between us and a server, as redis-py raises it."""


def unavailable(address: Address, error: BaseException) -> BackendUnavailable:
    if _is_no_database(error):
        return NoSuchDatabase(*_no_database(address))
    return BackendUnavailable(describe(address, error))


@contextmanager
def told(address: Address) -> Iterator[None]:
    """Turn what redis-py raises into BackendUnavailable, in words."""
    try:
        yield
    except SERVER_TROUBLE as error:
        raise unavailable(address, error) from error


def describe(address: Address, error: BaseException) -> str:
    """What is wrong with the server at `address`, for people. May ask it, for a second or two."""
    where = f"the server at {address}"
    text = str(error)
    if is_full(error):
        return f"{where} is at its maxmemory and takes no more: let workers drain it or raise it"
    if isinstance(error, ReadOnlyError) or text.startswith("READONLY"):
        return f"{where} is a read-only replica: point REDIS_HOST at the primary"
    if isinstance(error, BusyLoadingError) or text.startswith("LOADING"):
        return f"{where} is loading its data"
    if isinstance(error, AuthenticationError | AuthorizationError) or text.startswith("NOAUTH"):
        return f"{where} refuses the user or password: check REDIS_PASSWORD or REDIS_URL"
    if isinstance(error, NoPermissionError) or text.startswith("NOPERM") or ACL_FAILURE in text:
        return f"{where} lacks a permission for this user: {text} (see the ACL rule in the README)"
    if text.startswith("MISCONF"):
        return f"{where} cannot write its data to disk and takes no writes"
    if text.startswith("BUSY"):
        return f"{where} is busy with a script"
    if _is_no_database(error):
        return str(NoSuchDatabase(*_no_database(address)))
    if (misunderstood := _misunderstanding(address, error)) is not None:
        return f"{where} {misunderstood}"
    if isinstance(error, redis.TimeoutError | TimeoutError):
        return f"{where} does not answer"
    if isinstance(error, redis.ConnectionError | OSError):
        return f"{where} cannot be reached: {_reason(error)}"
    return f"{where} answers: {text}"


def is_full(error: BaseException) -> bool:
    """Whether a server refuses something because it is at its maxmemory."""
    return isinstance(error, OutOfMemoryError) or str(error).startswith("OOM")


def _reason(error: BaseException) -> str:
    cause = error.__cause__ or error.__context__
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror.lower()
    return str(error).rstrip(".").lower()


def _is_no_database(error: BaseException) -> bool:
    return "DB index is out of range" in str(error)


def _no_database(address: Address) -> tuple[str, str]:
    """What is wrong, and what to do."""
    setting, wanted = address.database_setting, address.database
    count = probe.count_databases(address.client(socket_timeout=probe.LIMIT))
    if count is None:
        has = f"no database {wanted}"
    elif count == 1:
        has = f"1 database (0), and no {wanted}"
    else:
        has = f"{count} databases (0 to {count - 1}), and no {wanted}"
    remedy = f"choose a lower number in {setting}{address.place_of(setting)}"
    return f"the server at {address} has {has}", remedy


def _misunderstanding(address: Address, error: BaseException) -> str | None:
    """One side speaks TLS and the other doesn't. Neither says so: one waits for more, or hangs up.
    So whoever was reached, and gave no answer that could be read, is asked."""
    endpoint = address.endpoint
    if endpoint is None or not _may_be_misunderstood(endpoint, error):
        return None
    spoken = probe.spoken_at(endpoint.host, endpoint.port)
    if spoken == "plain" and endpoint.is_encrypted:
        place = address.place_of("REDIS_URL")
        return f"does not speak TLS on this port: use redis:// in place of rediss://{place}"
    if spoken == "TLS" and not endpoint.is_encrypted:
        setting = "REDIS_HOST" if address.database_setting == "REDIS_DATABASE" else "REDIS_URL"
        url = f"REDIS_URL with rediss://{address.place_of(setting)}"
        return f"speaks TLS on this port: use {url}"
    return None


def _may_be_misunderstood(endpoint: Endpoint, error: BaseException) -> bool:
    cause = error.__cause__ or error.__context__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return False
    if isinstance(error, redis.TimeoutError | TimeoutError):
        return endpoint.is_encrypted
    if not isinstance(error, redis.ConnectionError | redis.InvalidResponse | OSError):
        return False
    # Nobody was reached.
    return not isinstance(cause, ConnectionRefusedError | socket.gaierror)
