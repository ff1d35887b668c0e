"""Locks of unique jobs: a hash per queue, in which a lock is set by the script that stores the job.

A lock ends when its job starts, when its time is over, or when its job is discarded. The whole hash
expires with its last lock, so nothing can stay locked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from secrets import token_hex

import redis

from dlq.backends.redis_storage.keys import Keys
from dlq.backends.redis_storage.lua.scripts import STORE
from dlq.backends.redis_storage.transport.producer import Producer
from dlq.jobs.placement import Placement
from dlq.types import QueueName

STEP = 1000
"""Jobs for one script."""


def store(
    producer: Producer,
    keys: Keys,
    what: str,
    raws: Sequence[bytes],
    queue: QueueName,
    placement: Placement,
    locks: Sequence[str],
) -> int:
    """Store jobs as the placement says. Return how many were stored. Raises EnqueueError."""
    names = (keys.queue(queue), keys.delayed(queue), keys.locks(queue))
    fixed = words_of(placement)
    lasts = fixed[2]
    stored = 0
    for start in range(0, len(raws), STEP):
        words: list[bytes | str] = list(raws[start : start + STEP])
        if lasts:
            words = [
                word
                for pair in zip(words, locks[start : start + STEP], strict=True)
                for word in pair
            ]
        stored += int(producer.run(what, STORE, names, *fixed, *words))
    return stored


def words_of(placement: Placement) -> tuple[str, int, int, str]:
    """Return the first arguments of the scripts that store jobs."""
    mode, milliseconds = "front" if placement.front else "now", 0
    if placement.at is not None:
        mode, milliseconds = "at", int(placement.at * 1000)
    elif placement.delay is not None:
        mode, milliseconds = "in", max(1, int(placement.delay * 1000))
    lasts = 0 if placement.unique is None else max(1, int(placement.unique * 1000))
    return mode, milliseconds, lasts, token_hex(2)[:3]


def forget_waiting(client: redis.Redis, keys: Keys, queue: QueueName) -> None:
    """Release the locks of the jobs that waited: the queue was just cleared."""
    _forget(client, keys, queue, lambda due, now: due <= now)


def forget_delayed(client: redis.Redis, keys: Keys, queue: QueueName) -> None:
    """Release the locks of the delayed jobs, which were just forgotten."""
    _forget(client, keys, queue, lambda due, now: due > now)


def _forget(
    client: redis.Redis, keys: Keys, queue: QueueName, is_gone: Callable[[int, int], bool]
) -> None:
    name = keys.locks(queue)
    now = client.time()[0] * 1000
    for field, value in client.hscan_iter(name, count=1000):
        # A lock is expiry:due:id:job; the other fields lead from a job to its lock.
        parts = value.split(b":")
        if len(parts) == 4 and is_gone(int(parts[1]), now):
            client.hdel(name, field.decode(), parts[3].decode())
