"""Records of what became of jobs: a hash for each, which expires."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import redis

from dlq.backends.redis_storage.keys import Keys
from dlq.backends.redis_storage.lua.scripts import (
    RESULT_ENDED,
    RESULT_STARTED,
    STORE_WITH_RESULT,
)
from dlq.backends.redis_storage.transport.channel import pack_script
from dlq.backends.redis_storage.transport.poster import Poster
from dlq.backends.redis_storage.transport.producer import Producer
from dlq.backends.redis_storage.unique_jobs import words_of
from dlq.job import Job, encode
from dlq.jobs.placement import Placement
from dlq.types import QueueName

WAITING_KEPT = 7 * 86_400
"""Seconds for which the record of a job that waits is kept at least."""


def store(
    producer: Producer,
    keys: Keys,
    job: Job,
    queue: QueueName,
    placement: Placement,
    lock: str,
    id: str,
    record: Mapping[str, str],
    keep: float,
) -> str | None:
    names = (keys.queue(queue), keys.delayed(queue), keys.locks(queue), keys.result(id))
    fields: list[str] = [word for item in record.items() for word in item]
    milliseconds = _milliseconds(max(keep, WAITING_KEPT))
    other = producer.run(
        job.path,
        STORE_WITH_RESULT,
        names,
        *words_of(placement),
        *(encode(job), lock, id, milliseconds),
        *fields,
    )
    return None if other == b"" else cast("bytes", other).decode()


def read(client: redis.Redis, keys: Keys, id: str) -> dict[str, str] | None:
    found = cast("dict[bytes, bytes]", client.hgetall(keys.result(id)))
    return {name.decode(): value.decode() for name, value in found.items()} or None


def note_started(
    poster: Poster, keys: Keys, id: str, moment: float, worker: str, keep: float
) -> None:
    script = pack_script(RESULT_STARTED, (keys.result(id),))
    poster.post_later(script, repr(moment), worker, _milliseconds(keep))


def note_ended(
    poster: Poster,
    keys: Keys,
    id: str,
    status: str,
    moment: float | None,
    value: str,
    error: str,
    keep: float,
) -> None:
    script = pack_script(RESULT_ENDED, (keys.result(id),))
    finished = "" if moment is None else repr(moment)
    poster.post(script, status, finished, _milliseconds(keep), value, error)


def _milliseconds(seconds: float) -> int:
    return max(1, int(seconds * 1000))
