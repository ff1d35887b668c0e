"""A backend as a user would write one against 4.11's interface: it notes what it is given."""

from __future__ import annotations

from collections.abc import Collection

from dlq.backends.base import BaseBackend
from dlq.job import Job
from dlq.types import QueueName, WorkerNumber

PATH = f"{__name__}.RecordingBackend"

calls: list[tuple[QueueName, list[Job]]] = []
"""Each enqueue, in order, of all instances; tests clear it."""


class RecordingBackend(BaseBackend):
    def enqueue(self, job: Job, queue: QueueName) -> None:
        calls.append((queue, [job]))

    def bulk_enqueue(self, jobs: Collection[Job], queue: QueueName) -> None:
        calls.append((queue, list(jobs)))

    def dequeue(self, queue: QueueName, worker_num: WorkerNumber, timeout: int) -> Job | None:
        return None

    def length(self, queue: QueueName) -> int:
        return 0


class AnotherBackend(RecordingBackend):
    pass
