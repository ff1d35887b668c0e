"""What goes over a connection: commands packed to bytes, replies read from them (RESP2).

Every job goes through this. redis-py makes the connection (address, TLS, password); it takes three
times as long to pack a command and to parse its reply, and a part of a command that never changes
is packed here once. Knows nothing of jobs; sends nothing twice.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeAlias

import redis

Word: TypeAlias = "bytes | str | int | float"

READ_SIZE = 65_536


class ErrorReply(redis.ResponseError):
    """The server's answer is an error: the command has not run. Its text begins with the code."""


def pack(*words: Word) -> bytes:
    """One command."""
    return b"*%d\r\n%b" % (len(words), pack_words(*words))


def pack_words(*words: Word) -> bytes:
    """A part of a command."""
    parts = []
    for word in words:
        if not isinstance(word, bytes):
            word = str(word).encode("utf-8", "surrogateescape")
        parts.append(b"$%d\r\n%b\r\n" % (len(word), word))
    return b"".join(parts)


class Wire:
    """One connection, on which commands are sent and replies read.

    `connected` has the time-out that an answer is waited for; `disconnect` ends the connection.
    After any exception but ErrorReply the connection is useless: what comes next may be the answer
    to what was asked before.
    """

    def __init__(self, connected: socket.socket, disconnect: Callable[[], object]) -> None:
        self._socket = connected
        self._disconnect = disconnect
        # A socket with a time-out asks for room before each send, and nearly always there is some.
        self._sender = connected.dup() if type(connected) is socket.socket else None
        if self._sender is not None:
            self._sender.setblocking(False)
        self._buffer = b""
        self._at = 0

    def close(self) -> None:
        """End the connection. In a process that did not make it, only this copy is closed."""
        with suppress(Exception):
            self._disconnect()
        self._close_sender()

    def __del__(self) -> None:
        # redis-py's connection does the same for its own socket.
        self._close_sender()

    def _close_sender(self) -> None:
        if self._sender is not None:
            self._sender.close()

    def set_timeout(self, seconds: float) -> None:
        """Wait no longer than this for an answer, from now on."""
        self._socket.settimeout(seconds)

    def send(self, data: bytes) -> None:
        try:
            # By a socket and not by its number: a job may have closed that and opened a file.
            sent = self._send_at_once(data)
            if sent < len(data):
                self._socket.sendall(data[sent:])
        except OSError as error:
            raise _broken(error) from error

    def _send_at_once(self, data: bytes) -> int:
        """Send what the system has room for now; return how many bytes that was."""
        try:
            return 0 if self._sender is None else self._sender.send(data)
        except BlockingIOError:
            return 0

    def reply(self) -> Any:
        """Read one reply: bytes, int, None, or a list of them. Raises ErrorReply; an error inside a
        list is an item of it."""
        answer = self._read()
        if isinstance(answer, ErrorReply):
            raise answer
        return answer

    def wait(self, seconds: float, other: int) -> bool:
        """Wait until there is something to read here, or on `other` (a descriptor), for at most
        `seconds`; return whether there is something here."""
        if self._has_unread():
            return True
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        poll.register(other, select.POLLIN)
        end = time.monotonic() + seconds
        while True:
            ready = poll.poll(max(0.0, end - time.monotonic()) * 1000 + 1)
            if ready:
                return any(fd == self._socket.fileno() for fd, _ in ready)
            if time.monotonic() >= end:
                return False

    def is_readable(self, seconds: float) -> bool:
        if self._has_unread():
            return True
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(seconds * 1000))

    def _has_unread(self) -> bool:
        """A TLS socket may hold what its descriptor doesn't show."""
        pending = getattr(self._socket, "pending", None)
        return self._at < len(self._buffer) or (pending is not None and pending() > 0)

    def _read(self) -> Any:
        line = self._line()
        kind, rest = line[:1], line[1:]
        if kind == b"$":
            size = int(rest)
            return None if size < 0 else self._bytes(size)
        if kind == b":":
            return int(rest)
        if kind == b"*":
            count = int(rest)
            return None if count < 0 else [self._read() for _ in range(count)]
        if kind == b"+":
            return rest
        if kind == b"-":
            return ErrorReply(rest.decode("utf-8", "backslashreplace"))
        raise redis.ConnectionError(f"it does not speak the protocol: {line[:40]!r}")

    def _line(self) -> bytes:
        while (end := self._buffer.find(b"\r\n", self._at)) < 0:
            self._receive(1)
        line = self._buffer[self._at : end]
        self._at = end + 2
        return line

    def _bytes(self, size: int) -> bytes:
        missing = size + 2 - (len(self._buffer) - self._at)
        if missing > 0:
            self._receive(missing)
        content = self._buffer[self._at : self._at + size]
        self._at += size + 2
        return content

    def _receive(self, least: int) -> None:
        chunks = [self._buffer[self._at :]]
        while least > 0:
            try:
                data = self._socket.recv(READ_SIZE)
            except OSError as error:
                raise _broken(error) from error
            if not data:
                raise redis.ConnectionError("the server closed the connection")
            chunks.append(data)
            least -= len(data)
        self._buffer = b"".join(chunks)
        self._at = 0


def _broken(error: OSError) -> redis.RedisError:
    if isinstance(error, TimeoutError):
        return redis.TimeoutError("no answer in time")
    return redis.ConnectionError(error.strerror or str(error))
