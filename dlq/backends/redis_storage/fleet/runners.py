"""The runners of one server: their heartbeats, what they own, and what a dead one left behind."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC
from functools import cache
from typing import Any, cast

import redis

from dlq.backends.base import OwnerState, QueueState, Reclaimed, RunnerState, ServerState
from dlq.backends.redis_storage import failed_jobs as failed
from dlq.backends.redis_storage.fleet.host_identity import here
from dlq.backends.redis_storage.fleet.ownership import parse, process_lives
from dlq.backends.redis_storage.keys import LAST_NUMBER, Keys, pattern
from dlq.backends.redis_storage.lua.fleet_scripts import LENGTHS, RECLAIM, RELEASE, SET_FOR_A_WHILE
from dlq.backends.redis_storage.transport.address import CLIENT_NAME, Address
from dlq.config.settings import Settings
from dlq.errors import UndecodableJob
from dlq.job import decode
from dlq.jobs.failure import Failure
from dlq.types import QueueName, Runner, WorkerNumber

ALIVE_FOR = 10.0
"""Seconds that a heartbeat lasts. It is renewed every 2 s, so four may be late or lost."""

GONE_FOR = 5.0
"""Seconds for which a runner of another host must have shown no life. When the server comes back
after an outage nobody has for a moment; those that live do again with their next heartbeat."""

JOBS_PER_CALL = 100
"""Jobs that one reclaim gives back, at most: the server does nothing else meanwhile."""


def beat(runner: Runner, workers: Sequence[str], busy: int) -> str:
    return json.dumps({"runner": runner._asdict(), "workers": list(workers), "busy": busy})


def announce(
    client: redis.Redis, keys: Keys, runner: Runner, workers: Sequence[str], busy: int
) -> None:
    """By a script, because a full server refuses a plain SET: its runners would be taken for dead,
    and their jobs be given to others."""
    life = beat(runner, workers, busy), int(ALIVE_FOR * 1000)
    failed.run(client, SET_FOR_A_WHILE, (keys.alive(runner.nonce),), *life)


def withdraw(client: redis.Redis, keys: Keys, runner: Runner) -> None:
    client.delete(keys.alive(runner.nonce))


def runners(client: redis.Redis, keys: Keys) -> list[RunnerState]:
    found = []
    for key in client.scan_iter(f"{pattern(keys.alive(''))}*", count=1000):
        value, ttl = client.get(key), client.pttl(key)
        try:
            content = json.loads(cast("bytes", value) or b"")
            runner = Runner(**content["runner"])
            workers, busy = tuple(content["workers"]), int(content["busy"])
        except (ValueError, TypeError, KeyError):
            continue
        found.append(RunnerState(runner, max(0.0, ALIVE_FOR - ttl / 1000), workers, busy))
    return sorted(found, key=lambda state: (state.runner.machine or 0, state.runner.started))


def reclaim(
    client: redis.Redis,
    keys: Keys,
    queue: QueueName,
    settings: Settings,
    gone_since: dict[str, float],
) -> list[Reclaimed]:
    """Of every owner of this queue whose runner has shown no life for a while, as `gone_since`
    remembers from call to call. A dead process of a living runner is none of our business: it has a
    successor, who knows what it died of."""
    given_back = []
    lives = _lives(client, keys)
    for number, record in _records(client, keys, queue):
        owner = parse(record)
        nonce = "" if owner is None else owner.nonce
        if lives(nonce):
            gone_since.pop(nonce, None)
            continue
        if time.monotonic() - gone_since.setdefault(nonce, time.monotonic()) < GONE_FOR:
            continue
        moved = take_over(client, keys, queue, number, record, nonce, settings)
        if moved:
            given_back.append(Reclaimed(queue, WorkerNumber(number), moved, str(owner)))
    return given_back


def adopt_unknown(
    client: redis.Redis, keys: Keys, queue: QueueName, settings: Settings
) -> list[Reclaimed]:
    """Give back what lies in lists that no worker of this configuration reads and nobody owns: left
    by workers of 4.11, or by a configuration that had more of them."""
    workers = settings.workers.get(queue, 1)
    owned = {number for number, _ in _records(client, keys, queue)}
    unknown = [n for n in _in_hand(client, keys, queue) if n > workers and n not in owned]
    if not unknown or _may_have_predecessors(client):
        return []
    given_back = []
    for number in unknown:
        moved = take_over(client, keys, queue, number, "", "", settings)
        if moved:
            owner = "a worker without a record"
            given_back.append(Reclaimed(queue, WorkerNumber(number), moved, owner))
    return given_back


def _may_have_predecessors(client: redis.Redis) -> bool:
    """Whether a worker of 4.11 may be connected: it leaves no record, but its connection has taken
    a job (or looked for one of its own) with its last command. True where that can't be known."""
    database = str(client.connection_pool.connection_kwargs.get("db") or 0)
    try:
        clients = client.client_list()
    except redis.ResponseError:
        return True
    return any(
        found["name"] != CLIENT_NAME
        and found["db"] == database
        and found["cmd"] in ("brpoplpush", "lindex")
        for found in clients
    )


def take_over(
    client: redis.Redis,
    keys: Keys,
    queue: QueueName,
    number: int,
    record: str,
    nonce: str,
    settings: Settings,
) -> int:
    """Give the jobs of one list back to its queue, if `record` ('' for none) still is its owner.
    How many they were."""
    failure = Failure(
        "crashed",
        "its runner died while it ran, time after time",
        attempts=settings.max_crashes,
        worker=f"{queue}/{number}",
    )
    total = 0
    while True:
        answer: Any = failed.run(
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


def give_back_all(
    client: redis.Redis,
    keys: Keys,
    queue: QueueName,
    number: WorkerNumber,
    runner: Runner,
    settings: Settings,
) -> int:
    """What a dead worker of this very runner had in hand, for whatever number it worked under."""
    total = 0
    for claimed, record in _records(client, keys, queue):
        owner = parse(record)
        if owner is None or owner.nonce != runner.nonce or process_lives(owner):
            continue
        if claimed == number or claimed > LAST_NUMBER:
            # The runner itself is alive, so its heartbeat must not stand in the way; and nobody is
            # to blame, so nothing is counted: as a list without an owner.
            failed.run(client, RELEASE, (keys.owners(queue),), claimed, record)
            total += take_over(client, keys, queue, claimed, "", "", settings)
    return total


def queue_state(client: redis.Redis, keys: Keys, queue: QueueName) -> QueueState:
    pipe = client.pipeline(transaction=False)
    pipe.llen(keys.queue(queue))
    pipe.lindex(keys.queue(queue), -1)
    pipe.xlen(keys.failed(queue))
    pipe.zcard(keys.delayed(queue))
    pipe.pttl(keys.pause(queue))
    waiting, tail, failed_count, delayed, pause = pipe.execute()
    # A worker runs the job at the tail of its list. Those behind it were taken ahead: they wait.
    lists = _in_hand(client, keys, queue)
    ahead = [number for number, length in lists.items() if length > 1]
    next_ones = [tail, *(client.lindex(keys.processing(queue, number), -2) for number in ahead)]
    return QueueState(
        queue=queue,
        waiting=waiting + sum(lists.values()) - len(lists),
        in_hand=len(lists),
        failed=failed_count,
        delayed=delayed,
        oldest=min(filter(None, map(_created, next_ones)), default=None),
        paused_until=None if pause == -2 else time.time() + max(pause, 0) / 1000,
        owners=tuple(_owner_states(client, keys, queue)),
    )


def _in_hand(client: redis.Redis, keys: Keys, queue: QueueName) -> dict[int, int]:
    """Worker number → jobs in its list, of those that have any. Spare numbers have owners."""
    start = keys.processing(queue, 0).removesuffix("0")
    answer: Any = failed.run(client, LENGTHS, (start,), LAST_NUMBER)
    lengths = dict(zip(answer[::2], answer[1::2], strict=True))
    for number, _ in _records(client, keys, queue):
        if number > LAST_NUMBER and (length := client.llen(keys.processing(queue, number))):
            lengths[number] = length
    return lengths


def has_jobs_ahead(client: redis.Redis, keys: Keys, queue: QueueName) -> bool:
    return any(length > 1 for length in _in_hand(client, keys, queue).values())


def stored_queues(client: redis.Redis, keys: Keys) -> list[QueueName]:
    start = keys.queue(QueueName(""))
    names = set()
    for key in client.scan_iter(f"{pattern(start)}*", count=1000):
        rest = key.decode("utf-8", "replace")[len(start) :]
        if ":processing:" in rest:
            rest = rest.rpartition(":processing:")[0]
        names.add(QueueName(rest.removesuffix(":pause")))
    delayed = client.scan_iter(f"{pattern(keys.delayed(QueueName('')))}*", count=1000)
    names.update(keys.queue_of(key, "delayed") for key in delayed)
    return sorted(names | set(failed.queues(client, keys)))


def server_state(client: redis.Redis, address: Address) -> ServerState:
    began = time.monotonic()
    client.ping()
    latency = time.monotonic() - began
    info: Mapping[str, Any] = cast("Mapping[str, Any]", client.info("server"))
    is_valkey = "valkey_version" in info
    version = info["valkey_version"] if is_valkey else info.get("redis_version", "?")
    return ServerState(f"{'Valkey' if is_valkey else 'Redis'} {version}", str(address), latency)


def _records(client: redis.Redis, keys: Keys, queue: QueueName) -> list[tuple[int, str]]:
    owners = cast("dict[bytes, bytes]", client.hgetall(keys.owners(queue)))
    return sorted(
        (int(number), record.decode("utf-8", "replace"))
        for number, record in owners.items()
        if number.isdigit()
    )


def _owner_states(client: redis.Redis, keys: Keys, queue: QueueName) -> Iterator[OwnerState]:
    place, lives = here(), _lives(client, keys)
    for number, record in _records(client, keys, queue):
        owner = parse(record)
        if owner is not None:
            alive = lives(owner.nonce)
            if alive and (owner.host, owner.boot) == place:
                alive = process_lives(owner)
            yield OwnerState(WorkerNumber(number), owner.nonce, owner.host, owner.pid, alive)


def _lives(client: redis.Redis, keys: Keys) -> Callable[[str], bool]:
    """Whether the runner with a nonce shows life. It has many workers, and is asked for once."""
    return cache(lambda nonce: bool(client.exists(keys.alive(nonce))))


def _created(raw: bytes | None) -> float | None:
    if raw is None:
        return None
    try:
        created = decode(raw).created_time
    except UndecodableJob:
        return None
    return None if created is None else created.replace(tzinfo=UTC).timestamp()
