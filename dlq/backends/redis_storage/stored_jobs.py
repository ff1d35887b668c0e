"""All stored jobs of a queue, read in pages that no server notices.

Jobs move while they are read. Lists and sets are read from the end at which jobs enter, towards the
one at which they leave: what enters meanwhile shifts the rest, so that some come twice, and none is
skipped. The parts are read in the order in which a job passes through them, for the same reason:
delayed, waiting, running, failed. Only a job that goes back meanwhile may be missed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import cast

import redis

from dlq.backends.redis_storage import failed_jobs
from dlq.backends.redis_storage.fleet.queue_state import list_lengths
from dlq.backends.redis_storage.keys import Keys
from dlq.backends.state import StoredState
from dlq.types import QueueName

PAGE_BYTES = 512 * 1024
"""What one page should have. The server copies that much in well under a millisecond."""

FIRST_PAGE = 16
"""Jobs of the first page: their size says how many fit in the next."""

LARGEST_PAGE = 2000

DELAYED_PREFIX = 17
"""Characters in front of the job in a member of the set of delayed jobs."""

Page = Callable[[int, int], list[bytes]]
"""Reads the entries from a first to a last index, both included."""


def stored_jobs(
    client: redis.Redis, keys: Keys, queue: QueueName
) -> Iterator[tuple[StoredState, bytes]]:
    for raw in _pages(lambda first, last: _delayed(client, keys, queue, first, last)):
        yield "delayed", raw[DELAYED_PREFIX:]
    for raw in _pages(lambda first, last: _list(client, keys.queue(queue), first, last)):
        yield "waiting", raw
    yield from _running(client, keys, queue)
    for failed in failed_jobs.newest_first(client, keys, queue):
        yield "failed", failed.raw


def peek(client: redis.Redis, keys: Keys, queue: QueueName, count: int) -> list[bytes]:
    """Return the jobs at the end from which workers take, the next one first."""
    return _list(client, keys.queue(queue), -count, -1)[::-1]


def _running(
    client: redis.Redis, keys: Keys, queue: QueueName
) -> Iterator[tuple[StoredState, bytes]]:
    for number in sorted(list_lengths(client, keys, queue)):
        for raw in _list(client, keys.processing(queue, number), 0, -1):
            yield "running", raw


def _pages(read: Page) -> Iterator[bytes]:
    start, size = 0, FIRST_PAGE
    while page := read(start, start + size - 1):
        yield from page
        start += len(page)
        average = max(1, sum(map(len, page)) // len(page))
        size = max(1, min(PAGE_BYTES // average, LARGEST_PAGE, size * 8))


def _list(client: redis.Redis, key: str, first: int, last: int) -> list[bytes]:
    return cast("list[bytes]", client.lrange(key, first, last))


def _delayed(
    client: redis.Redis, keys: Keys, queue: QueueName, first: int, last: int
) -> list[bytes]:
    # redis-py would send ZREVRANGE, which is deprecated and which dlq's ACL rule leaves out.
    page = client.execute_command("ZRANGE", keys.delayed(queue), first, last, "REV")  # type: ignore[no-untyped-call]  # redis-py's own is untyped
    return cast("list[bytes]", page)
