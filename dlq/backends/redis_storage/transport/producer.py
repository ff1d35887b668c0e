"""Stores jobs, and knows of each failure whether the job may be stored all the same.

Nothing is sent twice. A command has certainly not run where there was no connection, where the
server did not get the end of it, or where its answer is an error; where the answer did not come it
may have.
"""

from __future__ import annotations

import os
from typing import Any

import redis

from dlq.backends.redis_storage.lua.scripts import Script
from dlq.backends.redis_storage.transport.address import Address
from dlq.backends.redis_storage.transport.connect import open_wire
from dlq.backends.redis_storage.transport.errors import SERVER_ERRORS, not_enqueued
from dlq.backends.redis_storage.transport.resp import ErrorReply, Wire, Word, pack
from dlq.errors import EnqueueError

MOST_IDLE = 16
"""Connections that are kept. Threads that enqueue at the same moment take one each."""


class Producer:
    """Connections for all threads of a process. A process that was forked makes its own."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._idle: list[Wire] = []
        self._pid = os.getpid()

    def push(self, what: str, key: str, *raws: bytes) -> None:
        """Push jobs; `what` names them for people. Raises EnqueueError."""
        self._send(what, pack("LPUSH", key, *raws))

    def run(self, what: str, script: Script, keys: tuple[str, ...], *arguments: Word) -> Any:
        """Run a script that stores a job. Raises EnqueueError."""
        words = (len(keys), *keys, *arguments)
        try:
            return self._send(what, pack("EVALSHA", script.sha, *words))
        except EnqueueError as error:
            if not str(error.__cause__).startswith("NOSCRIPT"):
                raise
        # It has not run, so this is no second time; and the server keeps it from now on.
        return self._send(what, pack("EVAL", script.text, *words))

    def reset(self) -> None:
        idle, self._idle = self._idle, []
        self._pid = os.getpid()
        for wire in idle:
            wire.close()

    def _send(self, what: str, command: bytes) -> Any:
        is_sent = False
        wire: Wire | None = None
        try:
            wire = self._checkout()
            wire.send(command)
            is_sent = True
            answer = wire.reply()
        except SERVER_ERRORS as error:
            may_be_stored = is_sent and not isinstance(error, ErrorReply)
            raise not_enqueued(self._address, what, error, may_be_stored) from error
        else:
            if len(self._idle) < MOST_IDLE:
                self._idle.append(wire)
                wire = None
            return answer
        finally:
            # Also after an exception of a signal handler's: the next caller would read our answer.
            if wire is not None:
                wire.close()

    def _checkout(self) -> Wire:
        if os.getpid() != self._pid:
            self.reset()
        while self._idle:
            try:
                wire = self._idle.pop()
            except IndexError:
                break
            # What can be read before anything was asked is the end: the server was restarted, or
            # has dropped an idle connection. Noticed now, it is no error.
            if not wire.is_readable(0):
                return wire
            wire.close()
        return open_wire(self._address, self._address.socket_timeout)


class ClientProducer(Producer):
    """Stores jobs by a client that a subclass of a backend has made, in ways known to it alone."""

    def __init__(self, address: Address, client: redis.Redis) -> None:
        super().__init__(address)
        self._client = client

    def push(self, what: str, key: str, *raws: bytes) -> None:
        self._execute(what, "LPUSH", key, *raws)

    def run(self, what: str, script: Script, keys: tuple[str, ...], *arguments: Word) -> Any:
        return self._execute(what, "EVAL", script.text, len(keys), *keys, *arguments)

    def _execute(self, what: str, *words: Word) -> Any:
        try:
            return self._client.execute_command(*words)  # type: ignore[no-untyped-call]  # redis-py's own is untyped
        except SERVER_ERRORS as error:
            # When the connection broke is not known here: the job may be stored.
            stored = not isinstance(error, redis.ResponseError)
            raise not_enqueued(self._address, what, error, stored) from error
