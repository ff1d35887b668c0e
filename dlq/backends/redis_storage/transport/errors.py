"""What a server's errors mean, in words, and as what dlq raises."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

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
from dlq.backends.redis_storage.transport.address import Address, Endpoint
from dlq.backends.redis_storage.transport.connect import make_client
from dlq.errors import BackendUnavailable, EnqueueError, NoSuchDatabase

SERVER_ERRORS = (redis.RedisError, OSError)
"""What goes wrong between us and a server, as redis-py raises it."""

ACL_FAILURE = "ACL failure in script"
"""How a server refuses a command within a script. (It speaks of NOPERM for any other.)"""


class ServerUnreachable(BackendUnavailable, redis.ConnectionError, redis.TimeoutError):
    """The server cannot be reached or does not answer. Also what redis-py raises then, because code
    that was written for django-lightweight-queue 4.11 catches that."""


class UnreachableEnqueueError(EnqueueError, ServerUnreachable):
    """A job could not be enqueued for that reason."""


def unavailable(address: Address, error: BaseException) -> BackendUnavailable:
    """Return what to raise for an error of the server at `address`."""
    if _is_no_database(error):
        return NoSuchDatabase(*_no_database(address))
    kind = BackendUnavailable if isinstance(error, redis.ResponseError) else ServerUnreachable
    return kind(describe(address, error))


def not_enqueued(address: Address, what: str, error: BaseException, stored: bool) -> EnqueueError:
    """Return what to raise where `what` was not enqueued. `stored`: it may be stored all the
    same."""
    trouble = describe(address, error)
    message = (
        f"{what} was not enqueued for certain: {trouble}; it may be on the queue all the same:"
        " enqueueing it again may run it twice"
        if stored
        else f"{what} was not enqueued: {trouble}"
    )
    kind = EnqueueError if isinstance(error, redis.ResponseError) else UnreachableEnqueueError
    return kind(message, may_be_stored=stored)


@contextmanager
def translated_errors(address: Address) -> Iterator[None]:
    """Turn what redis-py raises into BackendUnavailable, in words."""
    try:
        yield
    except BackendUnavailable:
        raise
    except SERVER_ERRORS as error:
        raise unavailable(address, error) from error


def describe(address: Address, error: BaseException) -> str:
    """Return what is wrong with the server at `address`, for people. May ask it, for a second or
    two."""
    where = f"the server at {address}"
    text = str(error)
    if is_full(error):
        return (
            f"{where} has reached maxmemory and rejects writes: drain the queues or raise maxmemory"
        )
    if isinstance(error, ReadOnlyError) or text.startswith("READONLY"):
        return f"{where} is a read-only replica: point REDIS_HOST at the primary"
    if isinstance(error, BusyLoadingError) or text.startswith("LOADING"):
        return f"{where} is loading its data"
    if isinstance(error, AuthenticationError | AuthorizationError) or text.startswith("NOAUTH"):
        return f"{where} refuses the user or password: check REDIS_PASSWORD or REDIS_URL"
    if isinstance(error, NoPermissionError) or text.startswith("NOPERM") or ACL_FAILURE in text:
        return f"{where} lacks a permission for this user: {text} (see the ACL rule in the README)"
    if text.startswith("MISCONF"):
        return f"{where} cannot write its data to disk and rejects writes: see its log"
    if text.startswith("BUSY"):
        return f"{where} is busy with a script"
    if _is_no_database(error):
        return str(NoSuchDatabase(*_no_database(address)))
    if (misunderstood := _tls_mismatch(address, error)) is not None:
        return f"{where} {misunderstood}"
    if isinstance(error, redis.TimeoutError | TimeoutError):
        return f"{where} does not answer"
    if isinstance(error, redis.ConnectionError | OSError):
        help = f"start it, or correct {address.location_settings}"
        return f"{where} cannot be reached: {_reason(error)} ({help})"
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
    """Return what is wrong, and what to do."""
    setting, wanted = address.database_setting, address.database
    count = probe.count_databases(make_client(address, socket_timeout=probe.LIMIT, db=0))
    if count is None:
        has = f"no database {wanted}"
    elif count == 1:
        has = f"1 database (0), and no {wanted}"
    else:
        has = f"{count} databases (0 to {count - 1}), and no {wanted}"
    remedy = f"choose a lower number in {setting}{address.source_of(setting)}"
    return f"the server at {address} has {has}", remedy


def _tls_mismatch(address: Address, error: BaseException) -> str | None:
    """Return what is wrong where one side speaks TLS and the other doesn't. Neither says so: one
    waits for more, or hangs up. So a server that was reached, and gave no answer that could be
    read, is asked."""
    endpoint = address.endpoint
    if endpoint is None or not _may_be_mismatch(endpoint, error):
        return None
    spoken = probe.spoken_at(endpoint.host, endpoint.port)
    if spoken == "plain" and endpoint.is_encrypted:
        source = address.source_of("REDIS_URL")
        return f"does not speak TLS on this port: use redis:// in place of rediss://{source}"
    if spoken == "TLS" and not endpoint.is_encrypted:
        setting = "REDIS_HOST" if address.database_setting == "REDIS_DATABASE" else "REDIS_URL"
        url = f"REDIS_URL with rediss://{address.source_of(setting)}"
        return f"speaks TLS on this port: use {url}"
    return None


def _may_be_mismatch(endpoint: Endpoint, error: BaseException) -> bool:
    cause = error.__cause__ or error.__context__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return False
    if isinstance(error, redis.TimeoutError | TimeoutError):
        return endpoint.is_encrypted
    if not isinstance(error, redis.ConnectionError | redis.InvalidResponse | OSError):
        return False
    # No server was reached.
    return not isinstance(cause, ConnectionRefusedError | socket.gaierror)
