"""Short notes of a worker to the server, sent without waiting on a connection of their own.

For what a job's own life does not depend on: the lock of a unique job, the result of a task. Made
when first used, so a worker without such jobs has one connection. Each script is safe to send
twice: what was not confirmed when a connection broke is sent again with the next note.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress

import redis

from dlq.backends.redis_storage.transport.address import Address
from dlq.backends.redis_storage.transport.channel import PackedScript, channel_of_worker
from dlq.backends.redis_storage.transport.errors import SERVER_ERRORS
from dlq.backends.redis_storage.transport.resp import Word
from dlq.config.settings import Settings

KEPT = 1000
"""Notes that are kept for a server that is away; then the oldest are dropped."""


class Poster:
    """The connection for notes. `post` raises nothing that the server causes."""

    def __init__(self, address: Address, settings: Settings) -> None:
        self._channel = channel_of_worker(address, settings)
        self._unconfirmed: deque[tuple[PackedScript, tuple[Word, ...]]] = deque(maxlen=KEPT)

    def post(self, script: PackedScript, argument: Word, *more: Word) -> None:
        """Send a note, and read the answers to the earlier ones, which have come meanwhile."""
        with suppress(*SERVER_ERRORS):
            self._confirm()
        self._unconfirmed.append((script, (argument, *more)))
        with suppress(*SERVER_ERRORS):
            if self._channel.is_open:
                self._channel.post(script, argument, *more)
            else:
                self._send_all()

    def close(self) -> None:
        """Close the connection. The last note still arrives: a server drops what it has not read
        yet only where an answer was left unread, and the earlier answers have been read."""
        self._channel.close()

    def _confirm(self) -> None:
        for _ in self._channel.collect():
            self._unconfirmed.popleft()

    def _send_all(self) -> None:
        for script in {each.script for each, _ in self._unconfirmed}:
            self._channel.command("SCRIPT", "LOAD", script.text)
        for script_and_keys, arguments in self._unconfirmed:
            self._channel.post(script_and_keys, *arguments)


class ClientPoster(Poster):
    """Sends notes by a client that a subclass of a backend has made."""

    def __init__(self, address: Address, settings: Settings, client: redis.Redis) -> None:
        super().__init__(address, settings)
        self._client = client

    def post(self, script: PackedScript, argument: Word, *more: Word) -> None:
        with suppress(*SERVER_ERRORS):
            words = (script.script.text, *script.words, argument, *more)
            self._client.execute_command("EVAL", *words)  # type: ignore[no-untyped-call]  # redis-py's own is untyped
