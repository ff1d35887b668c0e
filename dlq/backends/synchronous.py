"""The backend for development and tests: a call runs its job at once, in the calling process."""

from __future__ import annotations

import time
from collections.abc import Sequence

from dlq.backends.base import BaseBackend
from dlq.job import Job, decode, encode
from dlq.jobs.placement import Placement
from dlq.types import QueueName, WorkerNumber


class SynchronousBackend(BaseBackend):
    """At most once. The job goes through its stored form like any other, so that a task sees in
    development what it will see in production: lists where tuples were, and nothing shared with
    its caller."""

    def enqueue(self, job: Job, queue: QueueName) -> None:
        decode(encode(job)).run(queue=queue, worker_num=WorkerNumber(0))

    def store(
        self, jobs: Sequence[Job], queue: QueueName, placement: Placement, locks: Sequence[str]
    ) -> int:
        """Run them at once: nothing waits here, so no equal job does."""
        self.bulk_enqueue(jobs, queue)
        return len(jobs)

    def dequeue(self, queue: QueueName, worker_num: WorkerNumber, timeout: int) -> Job | None:
        """There is never a job; a worker for it waits, as it would on an empty queue."""
        time.sleep(timeout)
        return None

    def length(self, queue: QueueName) -> int:
        return 0
