"""One connection for one worker, on which it can send without waiting and wait without being deaf.

redis-py's client waits for each answer, and cannot be told to leave off while a blocking command
waits. So its connection is used for what it does well (to connect, to encrypt, to authenticate),
and what goes over it is sent and read here. Which command is outstanding is kept here, too.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

import redis

from dlq.backends.redis_storage.lua.worker_scripts import Script
from dlq.backends.redis_storage.transport.address import BLOCKING_GRACE, Address
from dlq.backends.redis_storage.transport.resp import ErrorReply, Wire, Word, pack, pack_words
from dlq.config.settings import Settings

ANOTHER_SERVER = ("READONLY", "LOADING", "MASTERDOWN", "NOAUTH", "WRONGPASS")
"""After these a connection is not used again: the name may lead to another server by now."""


class Call(NamedTuple):
    """A script with its keys and the first of its arguments, which stay the same, packed once."""

    script: Script
    words: int
    packed: bytes

    def with_arguments(self, *arguments: Word) -> bytes:
        more = pack_words(*arguments)
        return b"*%d\r\n%b%b" % (self.words + len(arguments), self.packed, more)

    def with_bytes(self, argument: bytes) -> bytes:
        """The same, for what each job has."""
        size = len(argument)
        return b"*%d\r\n%b$%d\r\n%b\r\n" % (self.words + 1, self.packed, size, argument)


def call_of(script: Script, keys: tuple[str, ...], *arguments: Word) -> Call:
    words = ("EVALSHA", script.sha, len(keys), *keys, *arguments)
    return Call(script, len(words), pack_words(*words))


def channel_of_worker(address: Address, settings: Settings) -> Channel:
    """An answer is waited for as long as the settings say, and not much longer than a blocking
    command may take."""
    limit = settings.dequeue_timeout + BLOCKING_GRACE
    timeout = settings.redis_socket_timeout
    return Channel(address, limit if timeout is None else min(limit, timeout))


class Channel:
    """Not for use by two threads. After an exception the connection is gone, and the next command
    makes another one; nothing is sent twice by itself."""

    def __init__(self, address: Address, limit: float) -> None:
        """`limit`: seconds after which an answer that does not come means a dead connection."""
        self._address = address
        self._limit = limit
        self._connection: Any = None
        self._wire: Wire | None = None
        self._id: int | None = None
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self._unanswered: tuple[Script, bytes] | None = None
        self._posted = 0

    @property
    def is_open(self) -> bool:
        """Whether nothing has been lost since we connected."""
        return self._wire is not None

    def call(self, *words: Word) -> Any:
        """A command and its answer."""
        return self._exchange(pack(*words))

    def post(self, call: Call, argument: bytes) -> None:
        """Send a script and go on. Its answer is read with `collect`, before anything else is."""
        self._write(call.with_bytes(argument))
        self._posted += 1

    def collect(self) -> Iterator[Any]:
        """The answers to what was posted, in its order. After an error the connection is gone:
        what became of the rest is to be found out."""
        while self._posted:
            assert self._wire is not None
            self._posted -= 1
            try:
                answer = self._wire.reply()
            except BaseException:
                self.drop()
                raise
            yield answer

    def send(self, call: Call, *arguments: Word) -> None:
        """Begin a script. `answer` must follow before anything else is sent."""
        assert self._unanswered is None
        command = call.with_arguments(*arguments)
        self._write(command)
        self._unanswered = (call.script, command)

    def answer(self) -> Any:
        """Of the script that `send` began."""
        assert self._unanswered is not None
        assert self._wire is not None
        (script, command), self._unanswered = self._unanswered, None
        try:
            return self._wire.reply()
        except BaseException as error:
            if isinstance(error, ErrorReply) and str(error).startswith("NOSCRIPT"):
                # It has not run. The server has been restarted or its scripts were flushed.
                self.call("SCRIPT", "LOAD", script.text)
                return self._exchange(command)
            self._dropped_for(error)
            raise

    def run(self, call: Call, *arguments: Word) -> Any:
        self.send(call, *arguments)
        return self.answer()

    @property
    def is_answer_due(self) -> bool:
        return self._unanswered is not None

    def block(self, seconds: float, *words: Word) -> Any:
        """A blocking command that the server itself ends after `seconds`. When `wake` is called it
        is ended at once; a job that arrived at that very moment is in the answer."""
        wire = self._wire or self._connected()
        try:
            if self._id is None:
                self._id = int(self.call("CLIENT", "ID"))
            wire.send(pack(*words))
            if not wire.wait(seconds + BLOCKING_GRACE, self._wake_read):
                if not self._is_woken():
                    raise redis.TimeoutError("no answer to a blocking command")
                self._unblock(wire)
            return wire.reply()
        except BaseException as error:
            self._dropped_for(error)
            raise

    def sleep(self, seconds: float) -> None:
        """Less long where `wake` is called."""
        poll = select.poll()
        poll.register(self._wake_read, select.POLLIN)
        if poll.poll(max(0.0, seconds) * 1000):
            self._is_woken()

    def wake(self) -> None:
        """From a signal handler."""
        with suppress(OSError):
            os.write(self._wake_write, b"w")

    def hurry(self, limit: float) -> None:
        """From now on, wait no longer than this for an answer."""
        self._limit = min(self._limit, limit)
        if self._connection is not None:
            self._connection._sock.settimeout(self._limit)

    def drop(self) -> None:
        """Forget the connection. What it had under way may or may not happen."""
        connection, self._connection, self._wire, self._id = self._connection, None, None, None
        self._unanswered = None
        self._posted = 0
        if connection is not None:
            with suppress(Exception):
                connection.disconnect()

    def close(self) -> None:
        self.drop()
        pipe, self._wake_read, self._wake_write = (self._wake_read, self._wake_write), -1, -1
        for fd in pipe:
            with suppress(OSError):
                os.close(fd)

    def _write(self, command: bytes) -> None:
        wire = self._wire or self._connected()
        try:
            wire.send(command)
        except BaseException:
            self.drop()
            raise

    def _exchange(self, command: bytes) -> Any:
        wire = self._wire or self._connected()
        try:
            wire.send(command)
            return wire.reply()
        except BaseException as error:
            self._dropped_for(error)
            raise

    def _connected(self) -> Wire:
        self._connection, self._wire = self._connect()
        return self._wire

    def _connect(self) -> tuple[Any, Wire]:
        connection = self._address.connection(socket_timeout=self._limit)
        connection.connect()
        return connection, Wire(connection._sock)

    def _is_woken(self) -> bool:
        try:
            return bool(os.read(self._wake_read, 4096))
        except BlockingIOError:
            return False

    def _unblock(self, wire: Wire) -> None:
        """By way of another connection, since ours is busy waiting. The server may hear of this
        before it hears of the command that is to be ended: then it says so, and is asked again.
        Where it is not allowed, the command's own end is waited for."""
        assert self._id is not None
        end = time.monotonic() + self._limit
        with suppress(redis.ResponseError):
            connection, other = self._connect()
            try:
                while time.monotonic() < end:
                    other.send(pack("CLIENT", "UNBLOCK", self._id))
                    if other.reply() or wire.is_readable(0.005):
                        return
            finally:
                connection.disconnect()

    def _dropped_for(self, error: BaseException) -> None:
        """An answer that is an error leaves the connection in order, and may be a reason to look
        for another server."""
        if not isinstance(error, redis.ResponseError) or str(error).startswith(ANOTHER_SERVER):
            self.drop()
