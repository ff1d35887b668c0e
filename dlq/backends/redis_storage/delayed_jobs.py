"""Jobs that are stored for later: a sorted set per queue, by the moment (ms) of being due.

A member is 16 hex digits, a colon and the job's bytes; for a job that is to be run again, see
`retry_later.lua`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import redis

from dlq.backends.delayed import DelayedJob
from dlq.backends.redis_storage.keys import Keys, pattern
from dlq.backends.redis_storage.lua.scripts import DISCARD_DELAYED, PROMOTE
from dlq.backends.redis_storage.transport.connect import run_script
from dlq.types import QueueName

STEP = 500
"""Jobs for one command, so that none holds the server up for long."""

ID_LENGTH = 16


def promote(client: redis.Redis, keys: Keys, waiting: Mapping[QueueName, int]) -> float | None:
    """Return the seconds until the next delayed job of these queues is due, None where there is
    none. One script for all queues: an idle runner asks every two seconds."""
    names: list[str] = []
    for queue in waiting:
        names += (keys.delayed(queue), keys.queue(queue), keys.pause(queue))
    due_in = cast("int", run_script(client, PROMOTE, tuple(names), *waiting.values()))
    return None if due_in < 0 else due_in / 1000


def count(client: redis.Redis, keys: Keys, queue: QueueName) -> int:
    return int(client.zcard(keys.delayed(queue)))


def first_due_first(client: redis.Redis, keys: Keys, queue: QueueName) -> Iterator[DelayedJob]:
    """Read in pages by rank: what becomes due meanwhile may hide a job, and shows none twice."""
    seen = 0
    while True:
        page = cast(
            "list[tuple[bytes, float]]",
            client.zrange(keys.delayed(queue), seen, seen + STEP - 1, withscores=True),
        )
        for member, score in page:
            yield DelayedJob(
                member[:ID_LENGTH].decode("ascii", "replace"),
                queue,
                member[ID_LENGTH + 1 :],
                score / 1000,
            )
        if len(page) < STEP:
            return
        seen += len(page)


def run_now(client: redis.Redis, keys: Keys, queue: QueueName, jobs: Sequence[DelayedJob]) -> int:
    """Make them due since the beginning of time, in their order of being due."""
    changed = 0
    for members in _steps(jobs):
        scores = {member: number for number, member in enumerate(members, changed + 1)}
        with client.pipeline(transaction=True) as pipe:
            pipe.zadd(keys.delayed(queue), scores, xx=True, ch=True)
            changed += pipe.execute()[0]
    return changed


def discard(client: redis.Redis, keys: Keys, queue: QueueName, jobs: Sequence[DelayedJob]) -> int:
    names = (keys.delayed(queue), keys.locks(queue))
    return sum(
        cast("int", run_script(client, DISCARD_DELAYED, names, *members))
        for members in _steps(jobs)
    )


def clear(client: redis.Redis, keys: Keys, queue: QueueName) -> int:
    """All at once: UNLINK leaves the work to a thread of the server."""
    with client.pipeline(transaction=True) as pipe:
        pipe.zcard(keys.delayed(queue))
        pipe.unlink(keys.delayed(queue))
        counted: int = pipe.execute()[0]
    return counted


def queues(client: redis.Redis, keys: Keys) -> list[QueueName]:
    start = keys.delayed(QueueName(""))
    found = client.scan_iter(f"{pattern(start)}*", count=1000)
    return sorted({keys.queue_of(key, "delayed") for key in found})


def _steps(jobs: Sequence[DelayedJob]) -> Iterator[list[bytes]]:
    for start in range(0, len(jobs), STEP):
        yield [f"{job.id}:".encode() + job.raw for job in jobs[start : start + STEP]]
