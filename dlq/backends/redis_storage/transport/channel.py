"""One connection for one worker, on which it can send without waiting, and wait and still be woken.

redis-py's client waits for each answer, and cannot be interrupted while a blocking command waits.
So its connection is used for what it does well (to connect, to encrypt, to authenticate), and what
goes over it is sent and read here. Which command is outstanding is kept here, too.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import redis

from dlq.backends.redis_storage.lua.scripts import Script
from dlq.backends.redis_storage.transport.address import Address
from dlq.backends.redis_storage.transport.connect import open_wire
from dlq.backends.redis_storage.transport.resp import ErrorReply, Wire, Word, pack, pack_words
from dlq.config.settings import Settings

BLOCKING_GRACE = 5.0
"""Seconds beyond a blocking command's own time after which its connection counts as dead: a
half-open one (power loss, a NAT entry that was dropped) never says so."""

DEAF_BLOCK = 1.0
"""Seconds that a blocking command lasts at most where the server lets nothing end it early (it has
no CLIENT, or the user may not use it): a worker that is to stop waits for its end."""

ANOTHER_SERVER = ("READONLY", "LOADING", "MASTERDOWN", "NOAUTH", "WRONGPASS")
"""After these a connection is not used again: the name may lead to another server by now."""


class PackedScript(NamedTuple):
    """A script with its keys and the first of its arguments, which stay the same, packed once."""

    script: Script
    words: tuple[Word, ...]
    packed: bytes

    def with_arguments(self, *arguments: Word) -> bytes:
        more = pack_words(*arguments)
        return b"*%d\r\n%b%b" % (2 + len(self.words) + len(arguments), self.packed, more)

    def with_bytes(self, argument: bytes) -> bytes:
        """Return the same, for the one argument that each job has."""
        size = len(argument)
        return b"*%d\r\n%b$%d\r\n%b\r\n" % (3 + len(self.words), self.packed, size, argument)


def pack_script(script: Script, keys: tuple[str, ...], *arguments: Word) -> PackedScript:
    words = (len(keys), *keys, *arguments)
    return PackedScript(script, words, pack_words("EVALSHA", script.sha, *words))


def channel_of_worker(address: Address, settings: Settings) -> Channel:
    """Return a worker's channel: an answer is waited for as long as the settings say, and not much
    longer than a blocking command may take."""
    limit = settings.dequeue_timeout + BLOCKING_GRACE
    timeout = settings.redis_socket_timeout
    return Channel(address, limit if timeout is None else min(limit, timeout))


class Channel:
    """A connection of one thread. After an exception the connection is gone, and the next command
    makes another one; nothing is sent twice by itself."""

    def __init__(self, address: Address, limit: float) -> None:
        """`limit`: seconds after which an answer that does not come means a dead connection."""
        self._address = address
        self._limit = limit
        self._wire: Wire | None = None
        self._id: int | None = None
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self._unanswered: tuple[PackedScript, tuple[Word, ...]] | None = None
        self._posted = 0

    @property
    def is_open(self) -> bool:
        """Whether nothing has been lost since we connected."""
        return self._wire is not None

    def command(self, *words: Word) -> Any:
        """Run a command and return its answer."""
        return self._exchange(pack(*words))

    def post(self, script: PackedScript, argument: bytes) -> None:
        """Send a script and go on. Its answer is read with `collect`, before anything else is."""
        self._write(script.with_bytes(argument))
        self._posted += 1

    def post_all(self, scripts: Iterable[tuple[PackedScript, Sequence[Word]]]) -> None:
        """Send scripts with their arguments, all in one go, as `post` does."""
        commands = [script.with_arguments(*arguments) for script, arguments in scripts]
        self._write(b"".join(commands))
        self._posted += len(commands)

    def collect(self, at_most_left: int = 0) -> Iterator[Any]:
        """Yield the answers to what was posted, in its order. Waits for them until `at_most_left`
        are outstanding, and takes those that are there. After an error the connection is gone:
        what became of the rest is to be found out."""
        while self._posted:
            assert self._wire is not None
            if self._posted <= at_most_left and not self._wire.is_readable(0):
                return
            self._posted -= 1
            try:
                answer = self._wire.reply()
            except BaseException:
                self.drop()
                raise
            yield answer

    def send(self, script: PackedScript, *arguments: Word) -> None:
        """Begin a script. `answer` must follow before anything else is sent."""
        assert self._unanswered is None
        self._write(script.with_arguments(*arguments))
        self._unanswered = (script, arguments)

    def answer(self) -> Any:
        """Return the answer to the script that `send` began."""
        assert self._unanswered is not None
        assert self._wire is not None
        (script, arguments), self._unanswered = self._unanswered, None
        try:
            return self._wire.reply()
        except BaseException as error:
            if isinstance(error, ErrorReply) and str(error).startswith("NOSCRIPT"):
                # It has not run: the server was restarted or its scripts were flushed. Sent with
                # its text, it runs however often they are.
                return self.command("EVAL", script.script.text, *script.words, *arguments)
            self._drop_after(error)
            raise

    def run(self, script: PackedScript, *arguments: Word) -> Any:
        self.send(script, *arguments)
        return self.answer()

    @property
    def is_answer_due(self) -> bool:
        return self._unanswered is not None

    def block(self, seconds: float, *words: Word) -> Any:
        """Run a blocking command, with `seconds` after which the server ends it as its last word.
        When `wake` is called it is ended at once; a job that arrived at that very moment is in the
        answer. May end earlier than that, without a job."""
        wire = self._wire or self._connected()
        try:
            if self._id is None:
                self._id = self._ask_id()
            if not self._id:
                seconds = min(seconds, DEAF_BLOCK)
            wire.send(pack(*words, f"{seconds:.3f}"))
            if not wire.wait(seconds + BLOCKING_GRACE, self._wake_read):
                if not self._is_woken():
                    raise redis.TimeoutError("no answer to a blocking command")
                if self._id:
                    self._unblock(wire, self._id)
            return wire.reply()
        except BaseException as error:
            self._drop_after(error)
            raise

    def sleep(self, seconds: float) -> None:
        """Sleep, less long where `wake` is called."""
        poll = select.poll()
        poll.register(self._wake_read, select.POLLIN)
        if poll.poll(max(0.0, seconds) * 1000):
            self._is_woken()

    def wake(self) -> None:
        """End a `block` or `sleep` that waits. Called from a signal handler."""
        with suppress(OSError):
            os.write(self._wake_write, b"w")

    def shorten_limit(self, limit: float) -> None:
        """Wait no longer than this for an answer, from now on."""
        self._limit = min(self._limit, limit)
        if self._wire is not None:
            self._wire.set_timeout(self._limit)

    def drop(self) -> None:
        """Forget the connection. What it had under way may or may not happen."""
        wire, self._wire, self._id = self._wire, None, None
        self._unanswered = None
        self._posted = 0
        if wire is not None:
            wire.close()

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
            self._drop_after(error)
            raise

    def _connected(self) -> Wire:
        self._wire = open_wire(self._address, self._limit)
        return self._wire

    def _ask_id(self) -> int:
        """Return the server's number for our connection; 0 where it won't say."""
        try:
            return int(self.command("CLIENT", "ID"))
        except ErrorReply as error:
            if str(error).startswith(ANOTHER_SERVER):
                raise
            return 0

    def _is_woken(self) -> bool:
        try:
            return bool(os.read(self._wake_read, 4096))
        except BlockingIOError:
            return False

    def _unblock(self, wire: Wire, client_id: int) -> None:
        """End our blocking command from another connection, since ours is busy waiting. The server
        may read this before it reads the command that is to be ended: then it says so, and is asked
        again. Where it is not allowed, the command's own end is waited for."""
        end = time.monotonic() + self._limit
        with suppress(redis.ResponseError):
            other = open_wire(self._address, self._limit)
            try:
                while time.monotonic() < end:
                    other.send(pack("CLIENT", "UNBLOCK", client_id))
                    if other.reply() or wire.is_readable(0.005):
                        return
            finally:
                other.close()

    def _drop_after(self, error: BaseException) -> None:
        """Drop the connection, but for an answer that is an error: that leaves it in order, unless
        it is a reason to look for another server."""
        if not isinstance(error, redis.ResponseError) or str(error).startswith(ANOTHER_SERVER):
            self.drop()
