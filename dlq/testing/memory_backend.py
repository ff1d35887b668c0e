"""A backend that keeps jobs as bytes in memory, for tests."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from dlq.backends.results import BackendWithResults
from dlq.job import Job, encode
from dlq.jobs.placement import AT_ONCE, Placement
from dlq.types import QueueName, WorkerNumber


class StoredJob(NamedTuple):
    """A job as it was stored. `due` is Unix time; `lock` is empty where the job is not unique."""

    queue: QueueName
    raw: bytes
    placement: Placement
    due: float
    lock: str


class MemoryBackend(BackendWithResults):
    """One backend in the place of all. `stored` has every job; `waiting` those that did not run."""

    keeps_retries = True

    def __init__(self) -> None:
        self.stored: list[StoredJob] = []
        self.waiting: list[StoredJob] = []
        self._records: dict[str, dict[str, str]] = {}

    def enqueue(self, job: Job, queue: QueueName) -> None:
        self.store([job], queue, AT_ONCE, [""])

    def bulk_enqueue(self, jobs: Collection[Job], queue: QueueName) -> None:
        self.store(list(jobs), queue, AT_ONCE, [""] * len(jobs))

    def store(
        self, jobs: Sequence[Job], queue: QueueName, placement: Placement, locks: Sequence[str]
    ) -> int:
        held = {(each.queue, each.lock) for each in self.waiting if each.lock}
        count = 0
        for job, lock in zip(jobs, locks or [""] * len(jobs), strict=True):
            if lock and (queue, lock) in held:
                continue
            held.add((queue, lock))
            now = time.time()
            due = placement.at if placement.at is not None else now + (placement.delay or 0)
            each = StoredJob(queue, encode(job), placement, due, lock)
            self.stored.append(each)
            self.waiting.append(each)
            count += 1
        return count

    def next_job(self) -> StoredJob | None:
        """Take a job: the oldest of those that are not put off, then those that are, in the order
        of being due. None where none waits."""
        if not self.waiting:
            return None
        first = min(
            range(len(self.waiting)),
            key=lambda n: (self.waiting[n].placement.is_later, self._order(n), n),
        )
        return self.waiting.pop(first)

    def _order(self, number: int) -> float:
        each = self.waiting[number]
        return each.due if each.placement.is_later else -float(each.placement.front)

    def length(self, queue: QueueName) -> int:
        return sum(each.queue == queue for each in self.waiting)

    def dequeue(self, queue: QueueName, worker_num: WorkerNumber, timeout: int) -> Job | None:
        """There is no worker: the test runs jobs itself."""
        return None

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
        if not self.store([job], queue, placement, [lock]):
            return ""
        self._records[id] = dict(record)
        return None

    def read_result(self, id: str) -> dict[str, str] | None:
        return self._records.get(id)

    def note_started(self, id: str, moment: float, worker: str, keep: float) -> None:
        record = self._records.get(id)
        if record is not None:
            attempt = int(record.get("attempts", 0)) + 1
            record.setdefault("started", repr(moment))
            record |= {"attempts": str(attempt), "status": "RUNNING", "attempted": repr(moment)}
            record[f"worker:{attempt}"] = worker

    def note_ended(
        self, id: str, status: str, moment: float | None, value: str, error: str, keep: float
    ) -> None:
        record = self._records.get(id)
        if record is None:
            return
        record["status"] = status
        if moment is not None:
            record["finished"] = repr(moment)
        if value:
            record["value"] = value
        if error:
            record[f"error:{record.get('attempts', 0)}"] = error
