"""The runners of one server: their heartbeats, what they own, and what a dead one left behind."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC
from typing import Any, cast

import redis

from dlq.backends import failed
from dlq.backends.base import OwnerState, QueueState, Reclaimed, RunnerState, ServerState
from dlq.backends.claims import parse, process_lives
from dlq.backends.connection import Address
from dlq.backends.kernel import here
from dlq.backends.keys import SPARE_NUMBERS, Keys, pattern
from dlq.backends.scripts import RECLAIM
from dlq.config.model import Settings
from dlq.errors import UndecodableJob
from dlq.failure import Failure
from dlq.job import decode
from dlq.types import QueueName, Runner, WorkerNumber

ALIVE_FOR = 10.0
"""Seconds that a heartbeat lasts. It is renewed every 2 s, so four may be late or lost."""

JOBS_PER_CALL = 100
"""Jobs that one reclaim gives back, at most: the server does nothing else meanwhile."""


def beat(runner: Runner, workers: Sequence[str], busy: int) -> str:
    return json.dumps({"runner": asdict(runner), "workers": list(workers), "busy": busy})


def announce(
    client: redis.Redis, keys: Keys, runner: Runner, workers: Sequence[str], busy: int
) -> None:
    """Also in a full server, where SET is refused: the life of the old one is then made longer."""
    key, ttl = keys.alive(runner.nonce), int(ALIVE_FOR * 1000)
    try:
        client.set(key, beat(runner, workers, busy), px=ttl)
    except redis.ResponseError as error:
        if not str(error).startswith("OOM"):
            raise
        client.pexpire(key, ttl)


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
) -> list[Reclaimed]:
    """Of every owner of this queue whose runner shows no more life. A dead process of a living
    runner is none of our business: it has a successor, who knows what it died of."""
    given_back = []
    for number, record in _records(client, keys, queue):
        owner = parse(record)
        nonce = "" if owner is None else owner.nonce
        if client.exists(keys.alive(nonce)):
            continue
        moved = take_over(client, keys, queue, number, record, nonce, settings)
        if moved:
            given_back.append(Reclaimed(queue, WorkerNumber(number), moved, str(owner)))
    return given_back


def take_over(
    client: redis.Redis,
    keys: Keys,
    queue: QueueName,
    number: int | str,
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
        if claimed == number or claimed > SPARE_NUMBERS:
            # The runner itself is alive, so its heartbeat must not stand in the way; and nobody is
            # to blame, so nothing is counted: as a list without an owner.
            client.hdel(keys.owners(queue), str(claimed))
            total += take_over(client, keys, queue, claimed, "", "", settings)
    return total


def unknown_lists(client: redis.Redis, keys: Keys, queue: QueueName, workers: int) -> Iterator[str]:
    """Numbers of lists that no worker of this configuration has and that nobody owns: of a worker
    of 4.11, or of a configuration that had more of them."""
    match = f"{pattern(keys.processing(queue, ''))}*"
    owned = {str(number) for number, _ in _records(client, keys, queue)}
    for key in client.scan_iter(match, count=1000):
        number = keys.processing_of(key)[1]
        is_ours = number.isdigit() and 1 <= int(number) <= workers
        if not is_ours and number not in owned:
            yield number


def queue_state(client: redis.Redis, keys: Keys, queue: QueueName) -> QueueState:
    numbers = [
        keys.processing_of(key)[1]
        for key in client.scan_iter(f"{pattern(keys.processing(queue, ''))}*", count=1000)
    ]
    pipe = client.pipeline(transaction=False)
    pipe.llen(keys.queue(queue))
    pipe.lindex(keys.queue(queue), -1)
    pipe.xlen(keys.failed(queue))
    pipe.zcard(keys.delayed(queue))
    pipe.pttl(keys.pause(queue))
    for number in numbers:
        pipe.llen(keys.processing(queue, number))
    waiting, tail, failed_count, delayed, pause, *in_hand = pipe.execute()
    return QueueState(
        queue=queue,
        waiting=waiting,
        in_hand=sum(in_hand),
        failed=failed_count,
        delayed=delayed,
        oldest=_created(tail),
        paused_until=None if pause == -2 else time.time() + max(pause, 0) / 1000,
        owners=tuple(_owner_states(client, keys, queue)),
    )


def stored_queues(client: redis.Redis, keys: Keys) -> list[QueueName]:
    start = keys.queue(QueueName(""))
    names = set()
    for key in client.scan_iter(f"{pattern(start)}*", count=1000):
        rest = key.decode("utf-8", "replace")[len(start) :]
        if ":processing:" in rest:
            rest = rest.rpartition(":processing:")[0]
        names.add(QueueName(rest.removesuffix(":pause")))
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
    place = here()
    for number, record in _records(client, keys, queue):
        owner = parse(record)
        if owner is not None:
            alive = bool(client.exists(keys.alive(owner.nonce)))
            if alive and (owner.host, owner.boot) == place:
                alive = process_lives(owner)
            yield OwnerState(WorkerNumber(number), owner.nonce, owner.host, owner.pid, alive)


def _created(raw: bytes | None) -> float | None:
    if raw is None:
        return None
    try:
        created = decode(raw).created_time
    except UndecodableJob:
        return None
    return None if created is None else created.replace(tzinfo=UTC).timestamp()
