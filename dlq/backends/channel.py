"""One connection for one worker, on which it can send without waiting and wait without being deaf.

redis-py's client waits for each answer, and cannot be told to leave off while a blocking command
waits. Its connection can do both, and is what this drives: it packs, connects, authenticates and
parses; which command is outstanding is kept here.
"""

from __future__ import annotations

import os
import select
import time
from contextlib import suppress
from typing import Any

import redis
from redis.exceptions import NoScriptError, ReadOnlyError

from dlq.backends.connection import BLOCKING_GRACE, Address
from dlq.backends.scripts import Script


class Channel:
    """Not for use by two threads. After an exception the connection is gone, and the next command
    makes another one; nothing is sent twice by itself."""

    def __init__(self, address: Address, limit: float) -> None:
        """`limit`: seconds after which an answer that does not come means a dead connection."""
        self._address = address
        self._limit = limit
        self._client: redis.Redis | None = None
        self._connection: Any = None
        self._id: int | None = None
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self._unanswered: tuple[Script, tuple[Any, ...]] | None = None

    def call(self, *words: Any) -> Any:
        """A command and its answer."""
        connection = self._connected()
        try:
            connection.send_packed_command(connection.pack_command(*words), check_health=False)
            return connection.read_response()
        except BaseException as error:
            self._dropped_for(error)
            raise

    def send(self, script: Script, keys: tuple[Any, ...], arguments: tuple[Any, ...]) -> None:
        """Begin a script. `answer` must follow before anything else is sent."""
        words = (len(keys), *keys, *arguments)
        connection = self._connected()
        try:
            connection.send_packed_command(
                connection.pack_command("EVALSHA", script.sha, *words), check_health=False
            )
        except BaseException:
            self.drop()
            raise
        self._unanswered = (script, words)

    def answer(self) -> Any:
        """Of the script that `send` began."""
        assert self._unanswered is not None
        (script, words), self._unanswered = self._unanswered, None
        try:
            return self._connection.read_response()
        except NoScriptError:
            # It has not run. The server has been restarted or its scripts were flushed.
            self.call("SCRIPT", "LOAD", script.text)
            return self.call("EVALSHA", script.sha, *words)
        except BaseException as error:
            self._dropped_for(error)
            raise

    def run(self, script: Script, keys: tuple[Any, ...], *arguments: Any) -> Any:
        self.send(script, keys, arguments)
        return self.answer()

    @property
    def is_answer_due(self) -> bool:
        return self._unanswered is not None

    def block(self, seconds: float, *words: Any) -> Any:
        """A blocking command that the server itself ends after `seconds`. When `wake` is called it
        is ended at once; a job that arrived at that very moment is in the answer."""
        connection = self._connected()
        try:
            if self._id is None:
                self._id = int(self.call("CLIENT", "ID"))
            connection.send_packed_command(connection.pack_command(*words), check_health=False)
            if self.sleep(seconds + BLOCKING_GRACE, connection):
                self._unblock(connection)
            elif not self._is_readable(connection, 0):
                raise redis.TimeoutError("no answer to a blocking command")
            return connection.read_response()
        except BaseException as error:
            self._dropped_for(error)
            raise

    def sleep(self, seconds: float, connection: Any = None) -> bool:
        """Wait, at most until there is something to read; True where `wake` was called."""
        waiting = [self._wake_read]
        if connection is not None:
            waiting.append(connection._sock)
        readable, _, _ = select.select(waiting, [], [], max(0.0, seconds))
        if self._wake_read not in readable:
            return False
        with suppress(BlockingIOError):
            os.read(self._wake_read, 4096)
        return True

    def wake(self) -> None:
        """From a signal handler."""
        with suppress(OSError):
            os.write(self._wake_write, b"w")

    def drop(self) -> None:
        """Forget the connection. What it had under way may or may not happen."""
        connection, self._connection, self._id = self._connection, None, None
        self._unanswered = None
        if connection is not None:
            with suppress(Exception):
                connection.disconnect()

    def close(self) -> None:
        self.drop()
        if self._client is not None:
            with suppress(Exception):
                self._client.close()
        for fd in (self._wake_read, self._wake_write):
            with suppress(OSError):
                os.close(fd)

    def _connected(self) -> Any:
        if self._connection is None:
            if self._client is None:
                self._client = self._address.client(socket_timeout=self._limit)
            connection: Any = self._client.connection_pool.make_connection()
            connection.connect()
            self._connection = connection
        return self._connection

    def _unblock(self, connection: Any) -> None:
        """By way of another connection, since ours is busy waiting. The server may hear of this
        before it hears of the command that is to be ended: then it says so, and is asked again."""
        assert self._client is not None
        assert self._id is not None
        end = time.monotonic() + self._limit
        while not self._client.client_unblock(self._id) and time.monotonic() < end:
            if self._is_readable(connection, 0.005):
                return

    def _dropped_for(self, error: BaseException) -> None:
        """An answer that is an error leaves the connection in order; a replica must be left all the
        same, since the name may lead to the new primary by now."""
        if not isinstance(error, redis.ResponseError) or isinstance(error, ReadOnlyError):
            self.drop()

    @staticmethod
    def _is_readable(connection: Any, seconds: float) -> bool:
        readable, _, _ = select.select([connection._sock], [], [], seconds)
        return bool(readable)
