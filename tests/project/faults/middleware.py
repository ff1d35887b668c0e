"""Middleware that holds a job at a moment that no test could hit from outside."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from dlq.job import Job
from dlq.types import QueueName, WorkerNumber
from tests.kit.ledger import record

VARIABLE = "TEST_GATE"
"""In the environment of the runner: a directory. While it has a file `before`, jobs wait before
their function is called; while it has a file `after`, when it has returned."""


class Gate:
    def process_job(self, job: Job, queue: QueueName, worker_num: WorkerNumber) -> None:
        _hold("before", job)

    def process_result(self, job: Job, result: Any, time_taken: float) -> None:
        _hold("after", job)


def _hold(moment: str, job: Job) -> None:
    closed = Path(os.environ[VARIABLE], moment)
    if closed.exists():
        record(f"held {moment}", job.args[0] if job.args else "")
    while closed.exists():
        time.sleep(0.01)


class Exits:
    """Calls `sys.exit` in the hook that the environment names."""

    def __init__(self) -> None:
        def leave(*args: Any) -> None:
            sys.exit(0)

        setattr(self, os.environ["TEST_HOOK_THAT_EXITS"], leave)


class NeedsFile:
    """Cannot be made without the file that the environment names."""

    def __init__(self) -> None:
        Path(os.environ["TEST_NEEDED_FILE"]).read_bytes()

    def process_job(self, job: Job, queue: QueueName, worker_num: WorkerNumber) -> None:
        """Nothing to do."""


class Hangs:
    """Never returns from the hook that the environment names, for jobs of `slow`."""

    def __init__(self) -> None:
        def hang(*args: Any) -> None:
            if args[0].path.endswith(".slow"):
                time.sleep(600)

        setattr(self, os.environ["TEST_HOOK_THAT_HANGS"], hang)
