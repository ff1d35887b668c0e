"""Jobs that are stored for later, under a lock, or with a record of their result.

A part of `RedisStorage` of its own, because most projects use none of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from dlq.backends.delayed import BackendWithDelayedJobs, DelayedJob
from dlq.backends.redis_storage import delayed_jobs, results, unique_jobs
from dlq.backends.redis_storage.connections import Connections
from dlq.backends.redis_storage.lua.scripts import UNLOCK
from dlq.backends.redis_storage.transport.channel import pack_script
from dlq.backends.redis_storage.transport.errors import translated_errors
from dlq.backends.results import BackendWithResults
from dlq.job import Job, encode
from dlq.jobs.batch import Batch
from dlq.jobs.placement import Placement
from dlq.types import QueueName


class PlacedJobs(Connections, BackendWithDelayedJobs, BackendWithResults):
    def store(
        self, jobs: Sequence[Job], queue: QueueName, placement: Placement, locks: Sequence[str]
    ) -> int:
        raws = jobs.raws if isinstance(jobs, Batch) else [encode(job) for job in jobs]
        what = describe_jobs(jobs)
        return unique_jobs.store(self.producer, self.keys, what, raws, queue, placement, locks)

    def unlock(self, queue: QueueName, raw: bytes) -> None:
        self.poster.post(pack_script(UNLOCK, (self.keys.locks(queue),)), raw)

    # Delayed jobs

    def promote(self, waiting: Mapping[QueueName, int]) -> float | None:
        with translated_errors(self.address):
            return delayed_jobs.promote(self.client, self.keys, waiting)

    def delayed_count(self, queue: QueueName) -> int:
        with translated_errors(self.address):
            return delayed_jobs.count(self.client, self.keys, queue)

    def delayed_jobs(self, queue: QueueName) -> Iterator[DelayedJob]:
        with translated_errors(self.address):
            yield from delayed_jobs.first_due_first(self.client, self.keys, queue)

    def run_delayed(self, queue: QueueName, jobs: Sequence[DelayedJob]) -> int:
        with translated_errors(self.address):
            return delayed_jobs.run_now(self.client, self.keys, queue, jobs)

    def discard_delayed(self, queue: QueueName, jobs: Sequence[DelayedJob]) -> int:
        with translated_errors(self.address):
            return delayed_jobs.discard(self.client, self.keys, queue, jobs)

    def clear_delayed(self, queue: QueueName) -> int:
        with translated_errors(self.address):
            count = delayed_jobs.clear(self.client, self.keys, queue)
            unique_jobs.forget_delayed(self.client, self.keys, queue)
        return count

    def queues_with_delayed_jobs(self) -> list[QueueName]:
        with translated_errors(self.address):
            return delayed_jobs.queues(self.client, self.keys)

    # Results

    def store_with_result(
        self,
        job: Job,
        queue: QueueName,
        placement: Placement,
        lock: str,
        id: str,
        record: Mapping[str, str],
        keep: float,
    ) -> str | None:
        producer = self.producer
        return results.store(producer, self.keys, job, queue, placement, lock, id, record, keep)

    def read_result(self, id: str) -> dict[str, str] | None:
        with translated_errors(self.address):
            return results.read(self.client, self.keys, id)

    def note_started(self, id: str, moment: float, worker: str, keep: float) -> None:
        results.note_started(self.poster, self.keys, id, moment, worker, keep)

    def note_ended(
        self, id: str, status: str, moment: float | None, value: str, error: str, keep: float
    ) -> None:
        results.note_ended(self.poster, self.keys, id, status, moment, value, error, keep)


def describe_jobs(jobs: Collection[Job]) -> str:
    """Name the jobs for people."""
    path = next(iter(jobs)).path
    return path if len(jobs) == 1 else f"a bulk of {len(jobs)} jobs, the first of {path},"
