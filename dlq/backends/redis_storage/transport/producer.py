"""Stores jobs, and knows of each failure whether the job may be stored all the same.

Nothing is sent twice. A command has certainly not run where there was no connection, where the
server did not get the end of it, or where its answer is an error; where the answer did not come it
may have.
"""

from __future__ import annotations

import os
from typing import Any

from dlq.backends.redis_storage.lua.worker_scripts import Script
from dlq.backends.redis_storage.transport.address import SERVER_TROUBLE, Address, describe
from dlq.backends.redis_storage.transport.resp import ErrorReply, Wire, pack
from dlq.errors import EnqueueError

MOST_IDLE = 16
"""Connections that are kept. Threads that enqueue at the same moment take one each."""


class Producer:
    """For all threads of a process. A process that was forked makes connections of its own."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._idle: list[tuple[Any, Wire]] = []
        self._pid = os.getpid()

    def push(self, what: str, key: str, *raws: bytes) -> None:
        """`what` names the job or jobs for people. Raises EnqueueError."""
        self._send(what, pack("LPUSH", key, *raws))

    def run(self, what: str, script: Script, keys: tuple[str, ...], *arguments: Any) -> Any:
        """A script that stores a job. Raises EnqueueError."""
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
        for connection, _ in idle:
            # Shuts a connection down that this very process has made, else only closes its copy.
            connection.disconnect()

    def _send(self, what: str, command: bytes) -> Any:
        try:
            connection, wire = self._checkout()
        except SERVER_TROUBLE as error:
            raise self._error(what, error, may_be_stored=False) from error
        is_sent = False
        try:
            wire.send(command)
            is_sent = True
            answer = wire.reply()
        except ErrorReply as error:
            connection.disconnect()
            raise self._error(what, error, may_be_stored=False) from error
        except SERVER_TROUBLE as error:
            connection.disconnect()
            raise self._error(what, error, may_be_stored=is_sent) from error
        except BaseException:
            # As of a signal handler's: whoever came next would read our answer.
            connection.disconnect()
            raise
        if len(self._idle) < MOST_IDLE:
            self._idle.append((connection, wire))
        else:
            connection.disconnect()
        return answer

    def _checkout(self) -> tuple[Any, Wire]:
        if os.getpid() != self._pid:
            self.reset()
        while self._idle:
            try:
                connection, wire = self._idle.pop()
            except IndexError:
                break
            # What can be read before anything was asked is the end: the server was restarted, or
            # has dropped an idle connection. Seen now, that is nobody's trouble.
            if not wire.is_readable(0):
                return connection, wire
            connection.disconnect()
        made = self._address.connection()
        made.connect()
        return made, Wire(made._sock)

    def _error(self, what: str, error: BaseException, *, may_be_stored: bool) -> EnqueueError:
        trouble = describe(self._address, error)
        message = (
            f"{what} was not enqueued for certain: {trouble}; it may be on the queue all the same:"
            " enqueueing it again may run it twice"
            if may_be_stored
            else f"{what} was not enqueued: {trouble}"
        )
        return EnqueueError(message, may_be_stored=may_be_stored)
