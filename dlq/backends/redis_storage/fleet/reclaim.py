"""Give back to their queue the jobs that a dead worker left in its list.

Each function asks the server in bounded steps, and takes a list over only where the record that it
has looked at is still there.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import redis

from dlq.backends.redis_storage import failed_jobs as failed
from dlq.backends.redis_storage.fleet.heartbeats import GONE_FOR, living
from dlq.backends.redis_storage.fleet.ownership import lives_here, parse
from dlq.backends.redis_storage.fleet.queue_state import list_lengths, numbered, owner_records
from dlq.backends.redis_storage.keys import LAST_NUMBER, Keys
from dlq.backends.redis_storage.lua.scripts import RECLAIM, RELEASE_NUMBER
from dlq.backends.redis_storage.transport.connect import CLIENT_NAME, run_script
from dlq.backends.state import Reclaimed
from dlq.config.settings import Settings
from dlq.jobs.failure import Failure
from dlq.types import QueueName, Runner, WorkerNumber

QUEUES_PER_CALL = 100
"""Queues whose owners are read in one round trip."""

JOBS_PER_CALL = 100
"""Jobs that one script gives back, at most: the server does nothing else meanwhile."""


def reclaim(
    client: redis.Redis,
    keys: Keys,
    queues: Sequence[QueueName],
    settings: Settings,
    runner: Runner,
    gone_since: dict[str, float],
) -> Iterator[Reclaimed]:
    """Give back the jobs of every owner of these queues whose runner has had no heartbeat for a
    while, as `gone_since` remembers from call to call. A dead process of a living runner is left
    alone: it has a successor, which knows what it died of. A living process of this kernel keeps
    its number whatever became of its runner's heartbeat."""
    lives = living(client, keys)
    for queue, number, record in _owners_of(client, keys, queues):
        owner = parse(record)
        nonce = "" if owner is None else owner.nonce
        if lives(nonce) or (owner is not None and lives_here(owner, runner.host, runner.boot)):
            gone_since.pop(nonce, None)
            continue
        if time.monotonic() - gone_since.setdefault(nonce, time.monotonic()) < GONE_FOR:
            continue
        moved = take_over(client, keys, queue, number, record, nonce, settings)
        if moved:
            yield Reclaimed(queue, WorkerNumber(number), moved, str(owner))


def _owners_of(
    client: redis.Redis, keys: Keys, queues: Sequence[QueueName]
) -> Iterator[tuple[QueueName, int, str]]:
    """Read the owners of many queues, so many in one round trip."""
    for start in range(0, len(queues), QUEUES_PER_CALL):
        page = queues[start : start + QUEUES_PER_CALL]
        pipe = client.pipeline(transaction=False)
        for queue in page:
            pipe.hgetall(keys.owners(queue))
        # An error of one queue, whose key holds something else, is none of the others.
        for queue, answer in zip(page, pipe.execute(raise_on_error=False), strict=True):
            if isinstance(answer, dict):
                yield from ((queue, *each) for each in numbered(answer.items()))


def adopt_unknown(
    client: redis.Redis, keys: Keys, queue: QueueName, settings: Settings
) -> Iterator[Reclaimed]:
    """Give back what lies in lists that no worker of this configuration reads and that have no
    owner: left by workers of 4.11, or by a configuration that had more of them."""
    workers = settings.workers.get(queue, 1)
    owned = {number for number, _ in owner_records(client, keys, queue)}
    lengths = list_lengths(client, keys, queue)
    unknown = [number for number in lengths if number > workers and number not in owned]
    if not unknown or may_have_workers_of_411(client, unless_known=True):
        return
    for number in unknown:
        moved = take_over(client, keys, queue, number, "", "", settings)
        if moved:
            owner = "a worker without a record"
            yield Reclaimed(queue, WorkerNumber(number), moved, owner)


def give_back_all(
    client: redis.Redis,
    keys: Keys,
    queue: QueueName,
    number: WorkerNumber,
    runner: Runner,
    settings: Settings,
) -> int:
    """Give back what a dead worker of this very runner had in hand, under whatever number it
    worked; return how many jobs they were."""
    total = 0
    for claimed, record in owner_records(client, keys, queue):
        owner = parse(record)
        if owner is None or owner.nonce != runner.nonce:
            continue
        if lives_here(owner, runner.host, runner.boot):
            continue
        if claimed == number or claimed > LAST_NUMBER:
            # The runner itself is alive, so its heartbeat must not stand in the way; and no job is
            # to blame, so nothing is counted: as for a list without an owner.
            run_script(client, RELEASE_NUMBER, (keys.owners(queue),), claimed, record)
            total += take_over(client, keys, queue, claimed, "", "", settings)
    return total


def take_over(
    client: redis.Redis,
    keys: Keys,
    queue: QueueName,
    number: int,
    record: str,
    nonce: str,
    settings: Settings,
) -> int:
    """Give the jobs of one list back to its queue, if `record` ('' for none) still is its owner's;
    return how many they were."""
    failure = Failure(
        "crashed",
        "its runner died while it ran, time after time",
        attempts=settings.max_crashes,
        worker=f"{queue}/{number}",
    )
    total = 0
    while True:
        answer: Any = run_script(
            client,
            RECLAIM,
            (
                keys.owners(queue),
                keys.processing(queue, number),
                keys.queue(queue),
                keys.crashes(queue),
                keys.failed(queue),
                keys.alive(nonce),
            ),
            *(number, record, JOBS_PER_CALL, settings.max_crashes, failed.KEEP_COUNTS),
            *(settings.failed_keep, *failed.fields_without_raw(failure)),
        )
        total += int(answer[1])
        if answer[0] != b"done" or int(answer[1]) < JOBS_PER_CALL:
            return total


def may_have_workers_of_411(client: redis.Redis, *, unless_known: bool) -> bool:
    """Whether a worker of 4.11 may be connected: it leaves no record, but its connection has taken
    a job (or looked for one of its own) with its last command. `unless_known` is the answer where
    the server does not say."""
    database = str(client.connection_pool.connection_kwargs.get("db") or 0)
    try:
        clients = client.client_list()
    except redis.ResponseError:
        return unless_known
    return any(
        found["name"] != CLIENT_NAME
        and found["db"] == database
        and found["cmd"] in ("brpoplpush", "lindex")
        for found in clients
    )
