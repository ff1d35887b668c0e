"""Connections to the server, and what its errors mean.

Every time-out is explicit and nothing is retried behind our back: redis-py 8 comes with 5 s and ten
retries, by which a retried push makes copies and a retried pop loses jobs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import redis
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
)
from redis.retry import Retry

from dlq.config.model import Settings
from dlq.errors import BackendUnavailable

CLIENT_NAME = "dlq"
"""Of each connection, for CLIENT LIST."""

CONNECT_TIMEOUT = 5.0
"""Seconds. A server that takes longer to accept is away, for all that a web request can wait."""

BLOCKING_GRACE = 5.0
"""Seconds beyond a blocking command's own time after which its connection counts as dead: a
half-open one (power loss, a NAT entry that was dropped) never says so."""


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
        options = self._options() | more
        url = self._url()
        if url is not None:
            return redis.Redis(connection_pool=redis.ConnectionPool.from_url(url, **options))
        settings = self._settings
        password = settings.redis_password
        return redis.Redis(
            connection_pool=redis.ConnectionPool(
                host=settings.redis_host,
                port=settings.redis_port,
                db=settings.redis_database,
                password=None if password is None else password.get_secret_value(),
                **options,
            )
        )

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
        keepalive = {"socket_keepalive": True} if is_remote else {}
        return {
            **keepalive,
            "socket_timeout": timeout,
            "socket_connect_timeout": CONNECT_TIMEOUT if timeout is None else min(5.0, timeout),
            "retry": Retry(NoBackoff(), 0),
            "retry_on_timeout": False,
            "retry_on_error": [],
            "health_check_interval": 0,
            "client_name": CLIENT_NAME,
            "protocol": 2,
        }


SERVER_TROUBLE = (redis.RedisError, OSError)
"""What goes wrong between us and a server, as redis-py raises it."""


def unavailable(address: Address, error: BaseException) -> BackendUnavailable:
    return BackendUnavailable(describe(address, error))


@contextmanager
def told(address: Address) -> Iterator[None]:
    """Turn what redis-py raises into BackendUnavailable, in words."""
    try:
        yield
    except SERVER_TROUBLE as error:
        raise unavailable(address, error) from error


def describe(address: Address, error: BaseException) -> str:
    """What is wrong with the server at `address`, for people."""
    where = f"the server at {address}"
    text = str(error)
    if isinstance(error, OutOfMemoryError) or text.startswith("OOM"):
        return f"{where} is at its maxmemory and takes no more: let workers drain it or raise it"
    if isinstance(error, ReadOnlyError) or text.startswith("READONLY"):
        return f"{where} is a read-only replica: point REDIS_HOST at the primary"
    if isinstance(error, BusyLoadingError) or text.startswith("LOADING"):
        return f"{where} is loading its data"
    if isinstance(error, AuthenticationError | AuthorizationError) or text.startswith("NOAUTH"):
        return f"{where} refuses the user or password: check REDIS_PASSWORD or REDIS_URL"
    if isinstance(error, NoPermissionError) or text.startswith("NOPERM"):
        return f"{where} lacks a permission for this user: {text} (see the ACL rule in the README)"
    if text.startswith("MISCONF"):
        return f"{where} cannot write its data to disk and takes no writes"
    if text.startswith("BUSY"):
        return f"{where} is busy with a script"
    if "DB index is out of range" in text:
        return f"{where} has no database of that number: lower REDIS_DATABASE"
    if isinstance(error, redis.TimeoutError | TimeoutError):
        return f"{where} does not answer"
    if isinstance(error, redis.ConnectionError | OSError):
        return f"{where} cannot be reached: {_reason(error)}"
    return f"{where} answers: {text}"


def _reason(error: BaseException) -> str:
    cause = error.__cause__ or error.__context__
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror.lower()
    return str(error).rstrip(".").lower()
