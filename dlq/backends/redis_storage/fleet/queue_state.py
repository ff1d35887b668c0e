"""What the server shows of queues and of itself, for status and for the other modules here."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC
from typing import Any, cast

import redis

from dlq.backends.redis_storage import failed_jobs as failed
from dlq.backends.redis_storage.fleet.heartbeats import living
from dlq.backends.redis_storage.fleet.host_identity import here
from dlq.backends.redis_storage.fleet.ownership import lives_here, parse
from dlq.backends.redis_storage.keys import LAST_NUMBER, Keys, pattern
from dlq.backends.redis_storage.lua.scripts import LENGTHS, QUEUE_STATES
from dlq.backends.redis_storage.stored_values import parse_json, read_record
from dlq.backends.redis_storage.transport.address import Address
from dlq.backends.redis_storage.transport.connect import run_script
from dlq.backends.state import OwnerState, PauseNote, QueueState, ServerState
from dlq.errors import UndecodableJob
from dlq.job import decode
from dlq.types import QueueName, WorkerNumber

QUEUES_PER_LOOK = 50
"""Queues that one script looks at: it takes about a millisecond."""

LEAST_LISTS = 8
"""Lists of workers that are looked at for each queue, whatever its configuration says."""
MOST_DIGITS = 10
"""Of a worker number: what has more is not one."""


def queue_state(client: redis.Redis, keys: Keys, queue: QueueName) -> QueueState:
    pipe = client.pipeline(transaction=False)
    pipe.llen(keys.queue(queue))
    pipe.lindex(keys.queue(queue), -1)
    pipe.xlen(keys.failed(queue))
    pipe.zcard(keys.delayed(queue))
    pipe.pttl(keys.pause(queue))
    waiting, tail, failed_count, delayed, pause = pipe.execute()
    # A worker runs the job at the tail of its list. Those behind it were prefetched: they wait.
    lengths = list_lengths(client, keys, queue)
    with_prefetched = [number for number, length in lengths.items() if length > 1]
    next_ones = [
        tail,
        *(client.lindex(keys.processing(queue, number), -2) for number in with_prefetched),
    ]
    return QueueState(
        queue=queue,
        waiting=waiting + sum(lengths.values()) - len(lengths),
        in_hand=len(lengths),
        failed=failed_count,
        delayed=delayed,
        oldest=min(filter(None, map(_created, next_ones)), default=None),
        paused_until=None if pause == -2 else time.time() + max(pause, 0) / 1000,
        owners=tuple(_states_of_owners(owner_records(client, keys, queue), living(client, keys))),
    )


def queue_states(
    client: redis.Redis, keys: Keys, planned: Mapping[QueueName, int]
) -> list[QueueState]:
    """Return the states of many queues, in one round trip for each QUEUES_PER_LOOK.

    `planned`: how many workers each queue has. Lists of numbers above that are looked at where they
    have an owner; one without is given back within a minute (`reclaim.adopt_unknown`).
    """
    lives = living(client, keys)
    states: list[QueueState] = []
    names = list(planned)
    for start in range(0, len(names), QUEUES_PER_LOOK):
        page = names[start : start + QUEUES_PER_LOOK]
        counts = [min(max(planned[name], LEAST_LISTS), LAST_NUMBER) for name in page]
        of_all: list[str] = []
        for name, count in zip(page, counts, strict=True):
            of_all += (keys.queue(name), keys.failed(name), keys.delayed(name), keys.pause(name))
            of_all += (keys.owners(name), *(keys.processing(name, n + 1) for n in range(count)))
        answers: Any = run_script(client, QUEUE_STATES, of_all, *counts)
        for name, count, answer in zip(page, counts, answers, strict=True):
            owners = answer[5][::2]
            if any(number > count for number, _ in numbered(zip(owners, owners, strict=True))):
                states.append(queue_state(client, keys, name))
            else:
                states.append(_state_of(name, answer, lives))
    return _with_pause_notes(client, keys, states)


def _with_pause_notes(
    client: redis.Redis, keys: Keys, states: list[QueueState]
) -> list[QueueState]:
    """Add who paused the queues that are paused, in one round trip for all."""
    paused = [number for number, state in enumerate(states) if state.paused_until is not None]
    if not paused:
        return states
    pipe = client.pipeline(transaction=False)
    for number in paused:
        pipe.get(keys.pause_note(states[number].queue))
    for number, text in zip(paused, pipe.execute(), strict=True):
        note = read_record(PauseNote, parse_json(text or b""))
        states[number] = states[number]._replace(pause_note=note or PauseNote())
    return states


def _state_of(queue: QueueName, answer: Any, lives: Callable[[str], bool]) -> QueueState:
    waiting, tail, failed_count, delayed, pause, owners, lists = answer
    records = zip(owners[::2], owners[1::2], strict=True)
    behind = [job for _, _, job in lists]
    return QueueState(
        queue=queue,
        waiting=waiting + sum(length for _, length, _ in lists) - len(lists),
        in_hand=len(lists),
        failed=failed_count,
        delayed=delayed,
        oldest=min(filter(None, map(_created, (tail, *behind))), default=None),
        paused_until=None if pause == -2 else time.time() + max(pause, 0) / 1000,
        owners=tuple(_states_of_owners(numbered(records), lives)),
    )


def list_lengths(client: redis.Redis, keys: Keys, queue: QueueName) -> dict[int, int]:
    """Return worker number → jobs in its list, for those that have any. Overflow numbers have
    owners."""
    start = keys.processing(queue, 0).removesuffix("0")
    answer: Any = run_script(client, LENGTHS, (start,), LAST_NUMBER)
    lengths = dict(zip(answer[::2], answer[1::2], strict=True))
    for number, _ in owner_records(client, keys, queue):
        if number > LAST_NUMBER and (length := client.llen(keys.processing(queue, number))):
            lengths[number] = length
    return lengths


def has_prefetched_jobs(client: redis.Redis, keys: Keys, queue: QueueName) -> bool:
    return any(length > 1 for length in list_lengths(client, keys, queue).values())


def owner_records(client: redis.Redis, keys: Keys, queue: QueueName) -> list[tuple[int, str]]:
    """Return the numbers that have an owner, with its record."""
    owners = cast("dict[bytes, bytes]", client.hgetall(keys.owners(queue)))
    return numbered(owners.items())


def numbered(records: Iterable[tuple[bytes, bytes]]) -> list[tuple[int, str]]:
    """Return the records that are of a worker number, in order."""
    return sorted(
        (int(number), record.decode("utf-8", "replace"))
        for number, record in records
        if number.isdigit() and len(number) < MOST_DIGITS
    )


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
    info: Mapping[str, Any] = cast("Mapping[str, Any]", client.info("server", "memory"))
    is_valkey = "valkey_version" in info
    version = info["valkey_version"] if is_valkey else info.get("redis_version", "?")
    return ServerState(
        f"{'Valkey' if is_valkey else 'Redis'} {version}",
        str(address),
        latency,
        str(info.get("maxmemory_policy", "")),
    )


def _states_of_owners(
    records: Iterable[tuple[int, str]], lives: Callable[[str], bool]
) -> Iterator[OwnerState]:
    host, boot = here()
    for number, record in records:
        owner = parse(record)
        if owner is not None:
            alive = lives(owner.nonce) and lives_here(owner, host, boot) is not False
            yield OwnerState(WorkerNumber(number), owner.nonce, owner.host, owner.pid, alive)


def _created(raw: bytes | None) -> float | None:
    if not raw:
        return None
    try:
        created = decode(raw).created_time
    except UndecodableJob:
        return None
    return None if created is None else created.replace(tzinfo=UTC).timestamp()
