"""Remove doubles from a queue that is being pushed to and taken from, in bounded steps.

The list is read in pages, what is to stay is copied to a list beside it, and one script puts the
copy in the queue's place. A crash on the way leaves the queue as it was. What producers pushed and
workers took in the meantime is found by position: both only touch the ends.

    queue, before:    [new …][b a c b a]      read: b a c b a (a is the oldest)
    copy:                        [c b a]
    taken meanwhile: a  →  the copy loses a, and gains what is new at its head
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from secrets import token_hex
from typing import cast

import redis

from dlq.backends.base import ProgressLogger
from dlq.backends.failed import run
from dlq.backends.keys import Keys
from dlq.backends.scripts import SWAP
from dlq.errors import UndecodableJob
from dlq.job import decode
from dlq.types import QueueName

PAGE = 2000
"""Jobs in one read or one push: about a millisecond of the server's time."""
OVERLAP = 200
"""Jobs by which pages overlap: workers may take so many between two reads."""
LOOK_AHEAD = 200
"""Places at which the swap looks for the queue's present tail."""
CARRY = 500
"""New jobs that the swap itself carries over. More are copied before it is tried again."""
LIFE = 3600
"""Seconds after which a copy that was left by a crash goes away."""
ATTEMPTS = 50


class QueueTooBusy(Exception):
    """Jobs were taken faster than the list could be read; nothing was changed."""


def deduplicate(
    client: redis.Redis, keys: Keys, queue: QueueName, progress: ProgressLogger
) -> tuple[int, int]:
    """Length before and after. Of equal jobs, whenever they were made, the oldest stays."""
    original = client.llen(keys.queue(queue))
    if not original:
        return 0, 0
    progress.info("Collecting jobs")
    snapshot = _Snapshot(client, keys, queue)
    for _ in progress.progress(range(-(-original // PAGE))):
        snapshot.read_page()
    while snapshot.read_page():
        """What was pushed meanwhile, so that little is left for the swap."""
    if snapshot.doubles == 0:
        return original, original
    progress.info("Removing duplicate jobs")
    try:
        snapshot.copy()
        for _ in range(ATTEMPTS):
            length = snapshot.swap()
            if length is not None:
                return original, length
    finally:
        client.unlink(keys.survivors(queue))
    raise QueueTooBusy(f"{queue}: jobs come and go too fast to deduplicate; try again later")


class _Snapshot:
    """The queue as it was read, from the oldest job (its tail) to the newest. `older[place]` is how
    many survivors are older than the job at `place`."""

    def __init__(self, client: redis.Redis, keys: Keys, queue: QueueName) -> None:
        self._client = client
        self._key = keys.queue(queue)
        self._copy = keys.survivors(queue)
        self._trash = keys.trash(token_hex(8))
        self._seen: set[str | bytes] = set()
        self.jobs: list[bytes] = []
        self._older: list[int] = []
        self._survivors: list[bytes] = []
        self._copied = 0
        self._taken = 0

    @property
    def doubles(self) -> int:
        return len(self.jobs) - len(self._survivors)

    def read_page(self) -> bool:
        """Read the next page, towards the head; whether there was one. It begins before our newest
        job, whose place tells how many have been taken from the tail since we last looked."""
        known = len(self.jobs) - self._taken
        first = max(1, known - OVERLAP)
        page = cast("list[bytes]", self._client.lrange(self._key, -(known + PAGE), -first))
        page.reverse()
        if not self.jobs:
            return self._add(page)
        for moved in range(known - first + 1):
            place = known - first - moved
            if place < len(page) and page[place] == self.jobs[-1]:
                self._taken += moved
                return self._add(page[place + 1 :])
        return self._find_tail()

    def copy(self) -> None:
        """Bring the copy up to what was read."""
        for start in range(self._copied, len(self._survivors), PAGE):
            pipe = self._client.pipeline(transaction=False)
            pipe.lpush(self._copy, *self._survivors[start : start + PAGE])
            pipe.expire(self._copy, LIFE)
            pipe.execute()
        self._copied = len(self._survivors)

    def swap(self) -> int | None:
        """The new length, or None where it must be tried again."""
        places = list(self._places())
        answer = run(
            self._client,
            SWAP,
            (self._key, self._copy, self._trash),
            *(len(self.jobs), self.jobs[-1], self._taken, CARRY),
            *(word for place in places for word in place),
        )
        kind, *rest = cast("list[object]", answer)
        if kind == b"done":
            return cast("int", rest[0])
        if kind == b"gone":
            return 0
        if kind == b"new":
            while self.read_page():
                self.copy()
        elif not self._find_tail():
            return self._client.llen(self._key)
        return None

    def _places(self) -> Iterator[tuple[bytes, int]]:
        end = min(len(self.jobs), self._taken + LOOK_AHEAD)
        for place in range(self._taken, end):
            yield self.jobs[place], self._older[place]

    def _add(self, page: list[bytes]) -> bool:
        for raw in page:
            self._older.append(len(self._survivors))
            self.jobs.append(raw)
            identity = _identity(raw)
            if identity not in self._seen:
                self._seen.add(identity)
                self._survivors.append(raw)
        return bool(page)

    def _find_tail(self) -> bool:
        """Look where the queue's tail is in what was read: that many have been taken. False where
        all of it is gone."""
        tail = cast("bytes | None", self._client.lindex(self._key, -1))
        for place in range(self._taken, len(self.jobs)):
            if self.jobs[place] == tail:
                self._taken = place
                return True
        return False


def _identity(raw: bytes) -> str | bytes:
    """Equal for jobs that do the same. What is no job is equal to its own bytes only."""
    try:
        return decode(raw).identity_without_created()
    except (UndecodableJob, RecursionError, ValueError):
        return json.dumps(raw.hex())
