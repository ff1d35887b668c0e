"""What a server is asked after a connection to it has failed, so that people can be told why.

Short questions on connections of their own, without a password: how many databases there are, and
whether the port speaks TLS. No answer is an answer, too: nothing here raises for a server's sake.
"""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from typing import Literal

import redis

LIMIT = 1.0
"""Seconds for each question. Whoever asks has a connection that failed, and work that waits."""


def count_databases(client: redis.Redis) -> int | None:
    """Return how many databases the server has; None where the user may not ask. `client` is for
    this only, connected to database 0, and closed."""
    with client, suppress(redis.RedisError, OSError, KeyError, ValueError):
        return int(client.config_get("databases")["databases"] or "")
    return None


def spoken_at(host: str, port: int) -> Literal["plain", "TLS"] | None:
    """Return what the server speaks; None where it doesn't say: it is away, or busy, or hangs."""
    with suppress(OSError):
        if _answers_plainly(host, port):
            return "plain"
        if _shakes_hands(host, port):
            return "TLS"
    return None


def _answers_plainly(host: str, port: int) -> bool:
    """A server without TLS answers PING, if only with an error. Raises OSError, TimeoutError among
    them: then it isn't asked for more."""
    with socket.create_connection((host, port), LIMIT) as channel:
        try:
            channel.sendall(b"PING\r\n")
            return channel.recv(1) in (b"+", b"-")
        except ConnectionError:
            # What TLS does with a greeting that is none.
            return False


def _shakes_hands(host: str, port: int) -> bool:
    """Whether TLS can be agreed upon, with any server: nothing is entrusted to it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection((host, port), LIMIT) as channel:
        try:
            with context.wrap_socket(channel, server_hostname=host):
                return True
        except ssl.SSLError as error:
            # A server that asks for more than our greeting has, says so in TLS.
            return "ALERT" in (error.reason or "")
