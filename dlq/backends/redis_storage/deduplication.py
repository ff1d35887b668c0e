"""Remove doubles from a queue that is being pushed to and taken from, in bounded steps.

The list is read in pages, what is to stay is copied to a list beside it, and one script puts the
copy in the queue's place. A crash on the way leaves the queue as it was. What producers pushed and
workers took in the meantime is found by position: both only touch the ends.

    queue, before:    [new …][b a c b a]      read: b a c b a (a is the oldest)
    copy:                        [c b a]
    taken meanwhile: a  →  the copy loses a, and gains what is new at its head

What was pushed after the beginning stays in any case: the older one that equals it may have run
before it was pushed.

Where something else happened (the queue was cleared, or a job was given back to its tail), it is
begun again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from secrets import token_hex
from typing import cast

import redis

from dlq.backends.base import ProgressLogger
from dlq.backends.redis_storage.keys import Keys
from dlq.backends.redis_storage.lua.scripts import SWAP_DEDUPLICATED
from dlq.backends.redis_storage.transport.connect import run_script
from dlq.errors import DlqError
from dlq.job import decode, encode
from dlq.types import QueueName

PAGE = 2000
"""Jobs in one read or one push: about a millisecond of the server's time."""
OVERLAP = 200
"""Jobs by which pages overlap: workers may take so many between two reads."""
TAIL_CANDIDATES = 200
"""Indexes at which the swap looks for the queue's present tail."""
CARRY = 500
"""New jobs that the swap itself carries over. More are copied before it is tried again."""
LIFE = 3600
"""Seconds after which a copy that was left by a crash goes away."""
SWAPS = 50
"""How often a swap is tried with one copy, which new jobs are added to each time."""
BEGINNINGS = 10
ANCHORS = 12
"""Places from each end on, 1, 2, 4 … 2048, at which the swap makes sure that this is the list that
was read: jobs with equal bytes could make it look so."""


class QueueTooBusy(DlqError):
    """Jobs come and go so fast that no copy can replace the queue; nothing was changed."""


def deduplicate(
    client: redis.Redis, keys: Keys, queue: QueueName, progress: ProgressLogger
) -> tuple[int, int]:
    """Length before and after. Of equal jobs, whenever they were made, the oldest stays. Raises
    QueueTooBusy."""
    original = client.llen(keys.queue(queue))
    for _ in range(BEGINNINGS):
        if not client.llen(keys.queue(queue)):
            return original, 0
        try:
            return original, _replaced(_Snapshot(client, keys, queue), progress)
        except _OtherList:
            continue
    raise QueueTooBusy(
        f"queue {queue!r} was not deduplicated: jobs come and go too fast; pause it first"
    )


def count_duplicates(
    client: redis.Redis, keys: Keys, queue: QueueName, progress: ProgressLogger
) -> tuple[int, int]:
    """Length of the queue, and what `deduplicate` would leave of it. Changes nothing."""
    if not client.llen(keys.queue(queue)):
        return 0, 0
    for _ in range(BEGINNINGS):
        snapshot = _Snapshot(client, keys, queue)
        try:
            for _ in progress.progress(range(snapshot.pages)):
                snapshot.read_page()
        except _OtherList:
            continue
        return len(snapshot.jobs), len(snapshot.jobs) - snapshot.doubles
    raise QueueTooBusy(
        f"the duplicates in queue {queue!r} were not counted: jobs come and go too fast"
    )


def _replaced(snapshot: _Snapshot, progress: ProgressLogger) -> int:
    """The length at the end. Raises _OtherList."""
    progress.info("Collecting jobs")
    for _ in progress.progress(range(snapshot.pages)):
        snapshot.read_page()
    while snapshot.read_page():
        """What was pushed meanwhile, so that little is left for the swap."""
    if snapshot.doubles == 0:
        return snapshot.length()
    progress.info("Removing duplicate jobs")
    try:
        snapshot.copy()
        for _ in range(SWAPS):
            length = snapshot.swap()
            if length is not None:
                return length
    finally:
        snapshot.drop_copy()
    raise _OtherList


class _OtherList(Exception):
    """The queue is not the list that was read, with some taken from its tail and some pushed."""


class _Snapshot:
    """The queue as it was read, from the oldest job (its tail) to the newest. `older[place]` is how
    many survivors are older than the job at `place`."""

    def __init__(self, client: redis.Redis, keys: Keys, queue: QueueName) -> None:
        self._client = client
        self._key = keys.queue(queue)
        self._copy = keys.survivors(queue)
        self._trash = keys.trash(token_hex(8))
        self._seen: set[bytes] = set()
        self.jobs: list[bytes] = []
        self._older: list[int] = []
        self._survivors: list[bytes] = []
        self._copied = 0
        self._taken = 0
        self._at_the_beginning = 0

    @property
    def pages(self) -> int:
        return -(-self.length() // PAGE)

    @property
    def doubles(self) -> int:
        return len(self.jobs) - len(self._survivors)

    def length(self) -> int:
        return self._client.llen(self._key)

    def read_page(self) -> bool:
        """Read the next page, towards the head; whether there was one. It begins before our newest
        job, whose place tells how many have been taken from the tail since we last looked."""
        if not self.jobs:
            return self._read_first_page()
        known = len(self.jobs) - self._taken
        first = max(1, known - OVERLAP)
        page = cast("list[bytes]", self._client.lrange(self._key, -(known + PAGE), -first))
        page.reverse()
        for moved in range(known - first + 1):
            place = known - first - moved
            if place < len(page) and page[place] == self.jobs[-1]:
                self._taken += moved
                return self._add(page[place + 1 :])
        taken = self._taken
        self._find_tail()
        if self._taken == taken:
            raise _OtherList
        return True

    def _read_first_page(self) -> bool:
        with self._client.pipeline(transaction=True) as pipe:
            pipe.llen(self._key)
            pipe.lrange(self._key, -PAGE, -1)
            self._at_the_beginning, page = pipe.execute()
        return self._add(page[::-1])

    def copy(self) -> None:
        """Bring the copy up to what was read."""
        for start in range(self._copied, len(self._survivors), PAGE):
            pipe = self._client.pipeline(transaction=False)
            pipe.lpush(self._copy, *self._survivors[start : start + PAGE])
            pipe.expire(self._copy, LIFE)
            pipe.execute()
        self._copied = len(self._survivors)

    def drop_copy(self) -> None:
        self._client.unlink(self._copy)

    def swap(self) -> int | None:
        """The new length, or None where it must be tried again."""
        candidates = list(self._candidates())
        anchors = list(self._anchors())
        answer = run_script(
            self._client,
            SWAP_DEDUPLICATED,
            (self._key, self._copy, self._trash),
            *(len(self.jobs), self.jobs[-1], self._taken, CARRY, len(anchors)),
            *(word for anchor in anchors for word in anchor),
            *(word for candidate in candidates for word in candidate),
        )
        kind, *rest = cast("list[object]", answer)
        if kind == b"done":
            return cast("int", rest[0])
        if kind == b"gone":
            return 0
        if kind == b"new":
            while self.read_page():
                self.copy()
        else:
            self._find_tail()
        return None

    def _anchors(self) -> Iterator[tuple[int, bytes]]:
        """Places, counted from the newest job, which is 1. Near the ends, because that is where the
        server finds them without going through a million jobs."""
        rest = len(self.jobs) - self._taken
        distances = [2**power for power in range(ANCHORS)]
        places = {*distances, *(rest - distance for distance in distances)}
        for back in sorted(place for place in places if 0 < place < rest):
            yield back, self.jobs[-back]

    def _candidates(self) -> Iterator[tuple[bytes, int]]:
        end = min(len(self.jobs), self._taken + TAIL_CANDIDATES)
        for place in range(self._taken, end):
            yield self.jobs[place], self._older[place]

    def _add(self, page: list[bytes]) -> bool:
        for raw in page:
            self._older.append(len(self._survivors))
            self.jobs.append(raw)
            what = identity(raw)
            if what not in self._seen or len(self.jobs) > self._at_the_beginning:
                self._seen.add(what)
                self._survivors.append(raw)
        return bool(page)

    def _find_tail(self) -> None:
        """Look where the queue's tail is in what was read: that many have been taken."""
        tail = cast("bytes | None", self._client.lindex(self._key, -1))
        for place in range(self._taken, len(self.jobs)):
            if self.jobs[place] == tail:
                self._taken = place
                return
        raise _OtherList


_FEW_KEYS = 7
"""Those of a job, and one in its arguments. Counted by what follows a key, which also finds what
looks like one inside a string: then it is looked at more closely than it need be."""

_AS_WRITTEN = re.compile(
    rb'(\{"path": ".*), "created_time": "[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:.]{15}"\}'
)
"""A job as we and 4.11 write it: its last key is the time."""


def identity(raw: bytes) -> bytes:
    """Equal for jobs that do the same, whenever they were made. What is no job is equal to its own
    bytes only.

    Nearly all can be compared as they are written, which costs a twentieth: those with at most one
    key in their arguments, so that there is no order of keys to look beyond.
    """
    match = _AS_WRITTEN.fullmatch(raw)
    if match is not None and raw.count(b'": ') <= _FEW_KEYS:
        return match[1]
    try:
        job = decode(raw)
        arguments = {"args": job.args, "kwargs": job.kwargs}
        sorted_arguments = json.loads(json.dumps(arguments, sort_keys=True))
        plain = replace(job, **sorted_arguments, raw=None)
        return encode(plain).rpartition(b', "created_time": ')[0]
    except (DlqError, RecursionError, ValueError):
        # No job's text begins so.
        return b"\0" + raw
