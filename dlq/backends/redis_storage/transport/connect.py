"""The one place that makes connections.

Every time-out is explicit and nothing is retried behind our back: redis-py 8 comes with 5 s and ten
retries, by which a retried push makes copies and a retried pop loses jobs.
"""

from __future__ import annotations

import inspect
import socket
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import redis

from dlq.backends.redis_storage.lua.scripts import Script
from dlq.backends.redis_storage.transport.address import Address
from dlq.backends.redis_storage.transport.resp import Wire

CLIENT_NAME = "dlq"
"""The name of each connection in CLIENT LIST, where the server lets it be set."""

CONNECT_TIMEOUT = 5.0
"""Seconds. A server that takes longer to accept is away, for all that a web request can wait."""

_NO_VERSION: Mapping[str, None] = (
    {"driver_info": None}
    if "driver_info" in inspect.signature(redis.connection.AbstractConnection).parameters
    else {"lib_name": None, "lib_version": None}
)
"""Or redis-py sends the server its version, for which each connection reads the package's metadata:
more than half of the time that connecting takes. Version 7 has another option for it."""


class EncryptedConnection(redis.SSLConnection):
    """A TLS connection with the limit for connecting also during the handshake, where redis-py
    waits as for any answer: half a minute for a server without TLS."""

    def _wrap_socket_with_ssl(self, sock: socket.socket) -> ssl.SSLSocket:
        sock.settimeout(self.socket_connect_timeout)
        wrapped: ssl.SSLSocket = super()._wrap_socket_with_ssl(sock)  # type: ignore[no-untyped-call]  # redis-py's own is untyped
        wrapped.settimeout(self.socket_timeout)
        return wrapped


def make_client(address: Address, **more: Any) -> redis.Redis:
    """Return a client for short commands, with a pool of its own. Connects when first used."""
    kind, options = _connection_class(address), _options(address) | more
    return redis.Redis(connection_pool=redis.ConnectionPool(connection_class=kind, **options))


def open_wire(address: Address, timeout: float | None) -> Wire:
    """Connect. `timeout`: seconds that an answer is waited for. A client and its pool take longer
    to make than the connection itself."""
    connection = _connection_class(address)(**_options(address) | {"socket_timeout": timeout})
    connection.connect()
    return Wire(connection._sock, connection.disconnect)


def run_script(
    client: redis.Redis, script: Script, keys: Sequence[str], *arguments: object
) -> object:
    """Run a script on an ordinary client, loaded where the server does not have it."""
    words = [*keys, *arguments]
    try:
        return client.evalsha(script.sha, len(keys), *words)  # type: ignore[arg-type]  # redis-py's types know only str
    except redis.exceptions.NoScriptError:
        client.script_load(script.text)
        return client.evalsha(script.sha, len(keys), *words)  # type: ignore[arg-type]  # as above


def _connection_class(address: Address) -> type[Any]:
    endpoint = address.endpoint
    if endpoint is None:
        return redis.UnixDomainSocketConnection
    return EncryptedConnection if endpoint.is_encrypted else redis.Connection


def _options(address: Address) -> dict[str, Any]:
    timeout = address.socket_timeout
    # redis-py refuses the option for a socket of this machine, which never goes half-open.
    more = {} if address.endpoint is None else {"socket_keepalive": True}
    return {
        **more,
        "socket_timeout": timeout,
        "socket_connect_timeout": (
            CONNECT_TIMEOUT if timeout is None else min(CONNECT_TIMEOUT, timeout)
        ),
        # A connection that is given no way to retry makes one that never does.
        "retry": None,
        "retry_on_timeout": False,
        "retry_on_error": [],
        "health_check_interval": 0,
        "redis_connect_func": _greet,
        "protocol": 2,
        **_NO_VERSION,
        **address.options,
    }


def _greet(connection: Any) -> None:
    """Say who connects, as redis-py does; then set the connection's name, which a server without
    CLIENT (some managed ones) refuses."""
    connection.on_connect()
    connection.send_command("CLIENT", "SETNAME", CLIENT_NAME)
    with suppress(redis.ResponseError):
        connection.read_response()
