"""What the Redis backends share: all but how a worker takes a job and releases it.

Works with Redis 7.0 and later, and with Valkey. One client per process, made when first used.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import cast

from dlq.backends.base import (
    NULL_PROGRESS_LOGGER,
    BackendWithClear,
    BackendWithDeduplicate,
    BackendWithFailedJobs,
    BackendWithPauseResume,
    BackendWithRunners,
    BackendWithStoredJobs,
    FailedJob,
    ProgressLogger,
    QueueState,
    Reclaimed,
    RunnerState,
    ServerState,
)
from dlq.backends.redis_storage import failed_jobs as failed
from dlq.backends.redis_storage import unique_jobs
from dlq.backends.redis_storage.fleet import heartbeats, queue_state
from dlq.backends.redis_storage.fleet import reclaim as reclaiming
from dlq.backends.redis_storage.keys import pattern
from dlq.backends.redis_storage.lua.scripts import ENQUEUE_ONCE, SET_EXPIRING, read_scripts
from dlq.backends.redis_storage.placed_jobs import PlacedJobs, describe_jobs
from dlq.backends.redis_storage.stored_values import milliseconds
from dlq.backends.redis_storage.transport.connect import run_script
from dlq.backends.redis_storage.transport.errors import translated_errors
from dlq.backends.state import KillRequest, PauseNote, QueueActivity, RunningJob, StoredState
from dlq.config.settings import Settings
from dlq.job import Job, encode
from dlq.jobs.batch import Batch
from dlq.primitives.frozen import FrozenDict
from dlq.types import QueueName, Runner, WorkerNumber

IN_FLIGHT = 0.25
"""Seconds that `pause` waits before it returns: a worker that was given a job just before the pause
has started it by then, or asks about it again."""

ADOPTED_AT_ONCE = 100
"""Queues whose lists without an owner are looked for in one call of `reclaim`."""

PREFETCHED_FOR = 0.1
"""Seconds for which a worker keeps jobs that it prefetched and does not come to."""


class RedisStorage(
    BackendWithPauseResume,
    BackendWithClear,
    BackendWithDeduplicate,
    BackendWithFailedJobs,
    BackendWithRunners,
    PlacedJobs,
    BackendWithStoredJobs,
):
    """One server. Without settings, those in force are used, so that a project's own subclass whose
    constructor has no parameters works as with 4.11."""

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__(settings)
        self._gone_since: dict[str, float] = {}
        self._adopt_at = 0

    # Jobs

    def _processing_key(self, queue: QueueName, worker_number: WorkerNumber) -> str:
        """Return the key of a worker's list, under the name that 4.11 had for it."""
        return self.keys.processing(queue, worker_number)

    def startup(self, queue: QueueName) -> None:
        """Read the scripts, before the workers are forked."""
        read_scripts()

    def enqueue(self, job: Job, queue: QueueName) -> None:
        self.producer.push(job.path, self.keys.queue(queue), encode(job))

    def bulk_enqueue(self, jobs: Collection[Job], queue: QueueName) -> None:
        if not jobs:
            return
        raws = jobs.raws if isinstance(jobs, Batch) else map(encode, jobs)
        self.producer.push(describe_jobs(jobs), self.keys.queue(queue), *raws)

    def enqueue_once(self, job: Job, queue: QueueName, key: str, keep: float) -> bool:
        names = (self.keys.idempotency_key(key), self.keys.queue(queue))
        done = self.producer.run(job.path, ENQUEUE_ONCE, names, encode(job), milliseconds(keep))
        return bool(done)

    def length(self, queue: QueueName) -> int:
        with translated_errors(self.address):
            return self.client.llen(self.keys.queue(queue))

    def clear(self, queue: QueueName) -> int:
        """Drop all waiting jobs in one step, and at once however many they are: UNLINK leaves the
        work to a thread of the server's. What workers had prefetched at that moment is either run
        or given back within PREFETCHED_FOR, so it is looked for once more."""
        with translated_errors(self.address):
            count = self._clear(queue)
            if queue_state.has_prefetched_jobs(self.client, self.keys, queue):
                time.sleep(PREFETCHED_FOR)
                count += self._clear(queue)
            unique_jobs.forget_waiting(self.client, self.keys, queue)
        return count

    def _clear(self, queue: QueueName) -> int:
        with self.client.pipeline(transaction=True) as pipe:
            pipe.llen(self.keys.queue(queue))
            pipe.unlink(self.keys.queue(queue))
            count: int = pipe.execute()[0]
        return count

    def deduplicate(
        self, queue: QueueName, *, progress_logger: ProgressLogger = NULL_PROGRESS_LOGGER
    ) -> tuple[int, int]:
        from dlq.backends.redis_storage import deduplication

        with translated_errors(self.address):
            return deduplication.deduplicate(self.client, self.keys, queue, progress_logger)

    def count_duplicates(
        self, queue: QueueName, *, progress_logger: ProgressLogger = NULL_PROGRESS_LOGGER
    ) -> tuple[int, int]:
        from dlq.backends.redis_storage import deduplication

        with translated_errors(self.address):
            return deduplication.count_duplicates(self.client, self.keys, queue, progress_logger)

    # Pauses

    def pause(self, queue: QueueName, until: datetime) -> None:
        left = (until - datetime.now(UTC)).total_seconds()
        with translated_errors(self.address):
            run_script(
                self.client,
                SET_EXPIRING,
                (self.keys.pause(queue),),
                *(until.isoformat(" "), milliseconds(left)),
            )
        time.sleep(IN_FLIGHT)

    def note_pause(self, queue: QueueName, until: datetime, note: PauseNote) -> None:
        left = (until - datetime.now(UTC)).total_seconds()
        text = json.dumps(note._asdict())
        with translated_errors(self.address):
            name = self.keys.pause_note(queue)
            run_script(self.client, SET_EXPIRING, (name,), text, milliseconds(left))

    def resume(self, queue: QueueName) -> None:
        with translated_errors(self.address):
            self.client.delete(self.keys.pause(queue), self.keys.pause_note(queue))

    def is_paused(self, queue: QueueName) -> bool:
        with translated_errors(self.address):
            return bool(self.client.exists(self.keys.pause(queue)))

    # Failed jobs

    def failed_count(self, queue: QueueName) -> int:
        with translated_errors(self.address):
            return failed.count(self.client, self.keys, queue)

    def failures_dropped(self, queues: Sequence[QueueName]) -> dict[QueueName, int]:
        with translated_errors(self.address):
            return failed.dropped(self.client, self.keys, queues)

    def failed_jobs(self, queue: QueueName) -> Iterator[FailedJob]:
        with translated_errors(self.address):
            yield from failed.newest_first(self.client, self.keys, queue)

    def retry_failed(self, queue: QueueName, ids: Sequence[str]) -> int:
        with translated_errors(self.address):
            return failed.retry(self.client, self.keys, queue, ids)

    def discard_failed(self, queue: QueueName, ids: Sequence[str]) -> int:
        with translated_errors(self.address):
            return failed.discard(self.client, self.keys, queue, ids)

    def queues_with_failed_jobs(self) -> list[QueueName]:
        with translated_errors(self.address):
            return failed.queues(self.client, self.keys)

    def stored_jobs(self, queue: QueueName) -> Iterator[tuple[StoredState, bytes]]:
        from dlq.backends.redis_storage import stored_jobs

        with translated_errors(self.address):
            yield from stored_jobs.stored_jobs(self.client, self.keys, queue)

    def peek(self, queue: QueueName, count: int) -> list[bytes]:
        from dlq.backends.redis_storage import stored_jobs

        with translated_errors(self.address):
            return stored_jobs.peek(self.client, self.keys, queue, count)

    # Runners

    def wait_at_most(self, seconds: float) -> None:
        timeouts = {"socket_timeout": seconds, "socket_connect_timeout": seconds}
        if timeouts != self._timeouts:
            self._timeouts = timeouts
            self.reset()

    def renew_heartbeat(
        self,
        runner: Runner,
        workers: Sequence[str],
        busy: int,
        running: Sequence[RunningJob] = (),
        activity: Mapping[str, QueueActivity] = FrozenDict(),
        exits: Mapping[str, str] = FrozenDict(),
        is_supervised: bool = True,
    ) -> Sequence[KillRequest]:
        state = RunnerState(
            runner, 0.0, tuple(workers), busy, tuple(running), activity, exits, is_supervised
        )
        with translated_errors(self.address):
            return heartbeats.renew(self.client, self.keys, state)

    def request_kill(self, runner: Runner, request: KillRequest) -> None:
        with translated_errors(self.address):
            heartbeats.request_kill(self.client, self.keys, runner, request)

    def withdraw(self, runner: Runner) -> None:
        with translated_errors(self.address):
            heartbeats.withdraw(self.client, self.keys, runner)

    def reclaim(self, queues: Iterable[QueueName], runner: Runner) -> list[Reclaimed]:
        names = list(queues)
        with translated_errors(self.address):
            given_back = list(
                reclaiming.reclaim(
                    self.client, self.keys, names, self.settings, runner, self._gone_since
                )
            )
            for queue in self._next_to_adopt(names):
                given_back += reclaiming.adopt_unknown(self.client, self.keys, queue, self.settings)
        return given_back

    def _next_to_adopt(self, queues: Sequence[QueueName]) -> Sequence[QueueName]:
        """Return some queues, and the next ones when called again: to look for lists without an
        owner takes the server a third of a millisecond for each."""
        start, self._adopt_at = self._adopt_at, self._adopt_at + ADOPTED_AT_ONCE
        if self._adopt_at >= len(queues):
            self._adopt_at = 0
        return queues[start : start + ADOPTED_AT_ONCE]

    def give_back_all(self, queue: QueueName, number: WorkerNumber, runner: Runner) -> int:
        with translated_errors(self.address):
            return reclaiming.give_back_all(
                self.client, self.keys, queue, number, runner, self.settings
            )

    def runners(self) -> list[RunnerState]:
        with translated_errors(self.address):
            return heartbeats.runners(self.client, self.keys)

    def publish_plan(self, pool_id: str, document: str) -> None:
        with translated_errors(self.address):
            heartbeats.publish_plan(self.client, self.keys, pool_id, document)

    def renew_plan(self, pool_id: str) -> bool:
        with translated_errors(self.address):
            return heartbeats.renew_plan(self.client, self.keys, pool_id)

    def published_plan(self, pool_id: str) -> str | None:
        with translated_errors(self.address):
            return heartbeats.published_plan(self.client, self.keys, pool_id)

    def has_workers_of_411(self) -> bool:
        with translated_errors(self.address):
            return reclaiming.may_have_workers_of_411(self.client, unless_known=False)

    def queue_state(self, queue: QueueName) -> QueueState:
        with translated_errors(self.address):
            return queue_state.queue_state(self.client, self.keys, queue)

    def queue_states(self, planned: Mapping[QueueName, int]) -> list[QueueState]:
        with translated_errors(self.address):
            return queue_state.queue_states(self.client, self.keys, planned)

    def stored_queues(self) -> list[QueueName]:
        with translated_errors(self.address):
            return queue_state.stored_queues(self.client, self.keys)

    def server_state(self) -> ServerState:
        with translated_errors(self.address):
            return queue_state.server_state(self.client, self.address)

    # Cron records

    def record_cron(self, field: str, value: str) -> None:
        with translated_errors(self.address):
            self.client.hset(self.keys.cron_records, field, value)

    def cron_records(self) -> dict[str, str]:
        with translated_errors(self.address):
            found = cast("dict[bytes, bytes]", self.client.hgetall(self.keys.cron_records))
        return {
            field.decode("utf-8", "replace"): value.decode("utf-8", "replace")
            for field, value in found.items()
        }

    # Idempotency keys

    def idempotency_keys(self, prefix: str) -> Mapping[str, str]:
        start = self.keys.idempotency_key("")
        with translated_errors(self.address):
            found = {}
            for key in self.client.scan_iter(f"{pattern(start + prefix)}*", count=1000):
                value = cast("bytes | None", self.client.get(key))
                if value is not None:
                    name = key.decode("utf-8", "replace")[len(start) :]
                    found[name] = value.decode("utf-8", "replace")
            return found

    def idempotency_key(self, key: str) -> str | None:
        """Return the value of one of them, without a search through the server's keys."""
        with translated_errors(self.address):
            value = cast("bytes | None", self.client.get(self.keys.idempotency_key(key)))
            return None if value is None else value.decode("utf-8", "replace")

    def set_idempotency_key(self, key: str, value: str, keep: float) -> None:
        with translated_errors(self.address):
            self.client.set(self.keys.idempotency_key(key), value, px=milliseconds(keep))


def blocking_time(timeout: int) -> int:
    """Return a timeout for a blocking command, which reads 0 as "for ever"."""
    # redis-py's types know whole numbers only; the server takes a thousandth of a second.
    return timeout if timeout > 0 else cast("int", 0.001)
