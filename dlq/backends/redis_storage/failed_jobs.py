"""Failed jobs on the server: a stream per queue, bounded by FAILED_KEEP."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast, get_args

import redis

from dlq.backends.redis_storage.keys import Keys, pattern
from dlq.backends.redis_storage.lua.scripts import DISCARD_FAILED, FAILURES_DROPPED, RETRY_FAILED
from dlq.backends.redis_storage.stored_values import finite_number, whole_number
from dlq.backends.redis_storage.transport.connect import run_script
from dlq.backends.state import FailedJob
from dlq.jobs.failure import Failure, FailureKind
from dlq.types import QueueName

QUEUES_PER_LOOK = 100
"""Streams that one script looks at."""

PAGE = 100
"""Failed jobs that one command reads: each may carry a long traceback."""

KEEP_COUNTS = 30 * 24 * 3600
"""Seconds without a change after which counts of crashes and attempts are forgotten: those of jobs
that ended on a worker which could not clean up."""


def fields_of(raw: bytes, failure: Failure) -> list[str | bytes]:
    """Return a failed job as the fields of a stream entry."""
    return ["raw", raw, *fields_without_raw(failure)]


def fields_without_raw(failure: Failure) -> list[str | bytes]:
    return [
        *("kind", failure.kind),
        *("reason", failure.reason),
        *("traceback", failure.traceback),
        *("ran", "" if failure.ran is None else f"{failure.ran:.6f}"),
        *("attempts", str(failure.attempts)),
        *("worker", failure.worker),
    ]


def count(client: redis.Redis, keys: Keys, queue: QueueName) -> int:
    return client.xlen(keys.failed(queue))


def dropped(client: redis.Redis, keys: Keys, queues: Sequence[QueueName]) -> dict[QueueName, int]:
    """How many failed jobs FAILED_KEEP has dropped, for the queues where it has. A server that
    doesn't count what was added to a stream (before Redis 7) says nothing."""
    found = {}
    for start in range(0, len(queues), QUEUES_PER_LOOK):
        page = queues[start : start + QUEUES_PER_LOOK]
        streams = [keys.failed(queue) for queue in page]
        answers: Any = run_script(client, FAILURES_DROPPED, (keys.removed, *streams))
        for queue, gone, removed in zip(page, answers[::2], answers[1::2], strict=True):
            if (count := gone - whole_number(removed)) > 0:
                found[queue] = count
    return found


def newest_first(client: redis.Redis, keys: Keys, queue: QueueName) -> Iterator[FailedJob]:
    newest = "+"
    while True:
        page = cast(
            "list[tuple[bytes, dict[bytes, bytes]]]",
            client.xrevrange(keys.failed(queue), newest, "-", count=PAGE),
        )
        for entry, fields in page:
            yield _failed_job(entry.decode(), fields, queue)
        if len(page) < PAGE:
            return
        newest = f"({page[-1][0].decode()}"


def retry(client: redis.Redis, keys: Keys, queue: QueueName, ids: Sequence[str]) -> int:
    """Put failed jobs back, each in one step; those that are gone count nothing."""
    done = 0
    names = (
        *(keys.failed(queue), keys.queue(queue), keys.crashes(queue), keys.attempts(queue)),
        keys.removed,
    )
    for start in range(0, len(ids), PAGE):
        entries = [entry for id in ids[start : start + PAGE] if (entry := _entry_id(id))]
        done += cast("int", run_script(client, RETRY_FAILED, names, *entries))
    return done


def discard(client: redis.Redis, keys: Keys, queue: QueueName, ids: Sequence[str]) -> int:
    done = 0
    for start in range(0, len(ids), PAGE):
        entries = [entry for id in ids[start : start + PAGE] if (entry := _entry_id(id))]
        if entries:
            names = (keys.failed(queue), keys.removed)
            done += cast("int", run_script(client, DISCARD_FAILED, names, *entries))
    return done


def queues(client: redis.Redis, keys: Keys) -> list[QueueName]:
    match = f"{pattern(keys.failed(QueueName('')))}*"
    found = {keys.queue_of(key, "failed") for key in client.scan_iter(match, count=1000)}
    return sorted(found)


def _failed_job(entry: str, fields: Mapping[bytes, bytes], queue: QueueName) -> FailedJob:
    def text(name: bytes) -> str:
        return fields.get(name, b"").decode("utf-8", "replace")

    milliseconds, _, sequence = entry.partition("-")
    kind = text(b"kind")
    failure = Failure(
        kind=cast("FailureKind", kind if kind in get_args(FailureKind) else "raised"),
        reason=text(b"reason"),
        traceback=text(b"traceback"),
        ran=finite_number(fields.get(b"ran")),
        attempts=whole_number(fields.get(b"attempts"), 1),
        worker=text(b"worker"),
    )
    id = f"{int(milliseconds):x}" + ("" if sequence == "0" else f".{int(sequence):x}")
    raw = fields.get(b"raw", b"")
    return FailedJob(id, queue, raw, failure, int(milliseconds) / 1000)


def _entry_id(id: str) -> str | None:
    """Return the stream's id for ours, which is the same in hexadecimal; None for what is no id."""
    milliseconds, _, sequence = id.partition(".")
    try:
        return f"{int(milliseconds, 16)}-{int(sequence or '0', 16)}"
    except ValueError:
        return None
