"""A user's backend with the interface of django-lightweight-queue 4.11 and nothing more: jobs are
files in a directory, taken in the order of their names, at least once."""

from __future__ import annotations

import os
import time
from pathlib import Path

from dlq.backends.base import BaseBackend
from dlq.job import Job
from dlq.types import QueueName, WorkerNumber

VARIABLE = "TEST_SPOOL"


class SpoolBackend(BaseBackend):
    def __init__(self) -> None:
        self._root = Path(os.environ[VARIABLE])

    def enqueue(self, job: Job, queue: QueueName) -> None:
        directory = self._root / queue
        directory.mkdir(parents=True, exist_ok=True)
        name = f"{time.time_ns():020d}"
        (directory / f".{name}").write_text(job.to_json())
        (directory / f".{name}").rename(directory / name)

    def dequeue(self, queue: QueueName, worker_num: WorkerNumber, timeout: int) -> Job | None:
        in_hand = self._in_hand(queue, worker_num)
        if in_hand.exists():
            return Job.from_json(in_hand.read_bytes())
        end = time.monotonic() + min(timeout, 0.2)
        while True:
            for path in self._waiting(queue):
                try:
                    path.rename(in_hand)
                except FileNotFoundError:
                    continue
                return Job.from_json(in_hand.read_bytes())
            if time.monotonic() > end:
                return None
            time.sleep(0.005)

    def processed_job(self, queue: QueueName, worker_num: WorkerNumber, job: Job) -> None:
        self._in_hand(queue, worker_num).unlink()

    def length(self, queue: QueueName) -> int:
        return len(self._waiting(queue))

    def _in_hand(self, queue: QueueName, number: WorkerNumber) -> Path:
        return self._root / f"{queue}.{number}"

    def _waiting(self, queue: QueueName) -> list[Path]:
        directory = self._root / queue
        if not directory.exists():
            return []
        return sorted(path for path in directory.iterdir() if not path.name.startswith("."))
