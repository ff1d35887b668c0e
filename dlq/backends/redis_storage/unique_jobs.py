"""Locks of unique jobs: a hash per queue, in which a lock is set by the script that stores the job.

A lock ends when its job starts, when its time is over, or when its job is discarded. The whole hash
expires with its last lock, so nothing can stay locked.
"""

from __future__ import annotations

from secrets import token_hex
from typing import cast

import redis

from dlq.backends.redis_storage.keys import Keys
from dlq.backends.redis_storage.lua.scripts import PLACE
from dlq.backends.redis_storage.transport.producer import Producer
from dlq.jobs.placement import Placement
from dlq.types import QueueName

STEP = 1000
"""Jobs for one script."""


def place(
    producer: Producer,
    keys: Keys,
    what: str,
    raws: list[bytes],
    queue: QueueName,
    placement: Placement,
    locks: list[str],
) -> int:
    """Store jobs as the placement says. Return how many were stored. Raises EnqueueError."""
    names = (keys.queue(queue), keys.delayed(queue), keys.locks(queue))
    mode, milliseconds = "front" if placement.front else "now", 0
    if placement.at is not None:
        mode, milliseconds = "at", int(placement.at * 1000)
    elif placement.delay is not None:
        mode, milliseconds = "in", max(1, int(placement.delay * 1000))
    lasts = 0 if placement.unique is None else max(1, int(placement.unique * 1000))
    stored = 0
    for start in range(0, len(raws), STEP):
        words: list[bytes | str] = list(raws[start : start + STEP])
        if lasts:
            words = [
                word
                for pair in zip(words, locks[start : start + STEP], strict=True)
                for word in pair
            ]
        fixed = (mode, milliseconds, lasts, token_hex(2)[:3])
        stored += int(producer.run(what, PLACE, names, *fixed, *words))
    return stored


def forget_waiting(client: redis.Redis, keys: Keys, queue: QueueName, *, delayed: bool) -> None:
    """Release the locks of the jobs that were just cleared: those that waited, and with `delayed`
    also those that were to come."""
    name = keys.locks(queue)
    if delayed or not client.exists(keys.delayed(queue)):
        client.unlink(name)
        return
    now = client.time()[0] * 1000
    for field, value in client.hscan_iter(name, count=1000):
        _, _, rest = value.partition(b":")
        due, has_job, job = rest.partition(b":")
        if has_job and int(due) <= now:
            client.hdel(name, cast("str", field), cast("str", job))
