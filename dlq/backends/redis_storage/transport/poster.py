"""Short notes of a worker to the server, sent without waiting on a connection of their own.

For what a job's own life does not depend on: the lock of a unique job, the result of a task. Made
when first used, so a worker without such jobs has one connection. Each script is safe to send
twice: what was not confirmed when a connection broke is sent again with the next note.
"""

from __future__ import annotations

import threading
import time
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

OUTSTANDING = 64
"""Answers that may be outstanding: a slow server must not let them fill the connection."""

READ_FROM = 16
"""Answers that are read together: to look for each would cost as much as to send its note."""

PENDING_FOR = 0.02
"""Seconds for which a note may wait for the next one: both then leave in one system call, which is
most of what a note costs."""

Note = tuple[PackedScript, tuple[Word, ...]]


class Poster:
    """The connection for notes. `post` raises nothing that the server causes. The lock is for the
    thread that sends what is pending."""

    def __init__(self, address: Address, settings: Settings) -> None:
        self._channel = channel_of_worker(address, settings)
        self._unconfirmed: deque[Note] = deque(maxlen=KEPT)
        self._pending: list[Note] = []
        self._lock = threading.Lock()
        self._sender: PendingSender | None = None

    def post(self, script: PackedScript, *arguments: Word) -> None:
        """Send a note, with those that are pending. Answers are read now and then."""
        with self._lock:
            self._pending.append((script, arguments))
            self._send_pending()

    def post_later(self, script: PackedScript, *arguments: Word) -> None:
        """Send a note with the next one, or soon where none follows."""
        with self._lock:
            self._pending.append((script, arguments))
        if self._sender is None:
            self._sender = PendingSender(self)
        self._sender.note_pending()

    def flush(self) -> None:
        """Send what is pending."""
        with self._lock:
            if self._pending:
                self._send_pending()

    def close(self) -> None:
        """Send what is pending, read the answers, close the connection."""
        if self._sender is not None:
            self._sender.stop()
        with self._lock, suppress(*SERVER_ERRORS):
            if self._pending:
                self._send_pending()
            for _ in self._channel.collect():
                self._unconfirmed.popleft()
        self._channel.close()

    def _send_pending(self) -> None:
        if len(self._unconfirmed) >= READ_FROM:
            with suppress(*SERVER_ERRORS):
                for _ in self._channel.collect(OUTSTANDING):
                    self._unconfirmed.popleft()
        notes, self._pending = self._pending, []
        self._unconfirmed.extend(notes)
        with suppress(*SERVER_ERRORS):
            if self._channel.is_open:
                self._channel.post_all(notes)
            else:
                for script in {each.script for each, _ in self._unconfirmed}:
                    self._channel.command("SCRIPT", "LOAD", script.text)
                self._channel.post_all(self._unconfirmed)


class PendingSender:
    """The thread that sends a pending note which no other one followed. It looks every PENDING_FOR
    while notes come, and waits where none do."""

    def __init__(self, poster: Poster) -> None:
        self._poster = poster
        self._is_needed = threading.Event()
        self._pending_since = 0.0
        self._stopped = False
        threading.Thread(target=self._run, name="dlq-notes", daemon=True).start()

    def note_pending(self) -> None:
        self._pending_since = time.monotonic()
        if not self._is_needed.is_set():
            self._is_needed.set()

    def stop(self) -> None:
        self._stopped = True
        self._is_needed.set()

    def _run(self) -> None:
        while not self._stopped:
            self._is_needed.wait()
            time.sleep(PENDING_FOR)
            idle = time.monotonic() - self._pending_since
            if idle > PENDING_FOR:
                self._poster.flush()
            if idle > 1 and not self._stopped:
                self._is_needed.clear()


class ClientPoster(Poster):
    """Sends notes by a client that a subclass of a backend has made."""

    def __init__(self, address: Address, settings: Settings, client: redis.Redis) -> None:
        super().__init__(address, settings)
        self._client = client

    def post(self, script: PackedScript, *arguments: Word) -> None:
        with suppress(*SERVER_ERRORS):
            words = (script.script.text, *script.words, *arguments)
            self._client.execute_command("EVAL", *words)  # type: ignore[no-untyped-call]  # redis-py's own is untyped

    def post_later(self, script: PackedScript, *arguments: Word) -> None:
        self.post(script, *arguments)
