"""Backends for Django's own suite: dlq's, in the places of the two that Django ships.

`RecordingBackend` stores jobs on a real server and runs none, as Django's dummy backend; it also
remembers its results. `EagerBackend` runs each job before the call returns, as Django's immediate
backend: taken from the real server by a real consumer, and recorded as a worker does.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import partial
from typing import Any

from dlq import runtime
from dlq.backends.base import BaseBackend
from dlq.backends.consumer import PreviousProcess
from dlq.django_tasks import DlqBackend
from dlq.django_tasks.framework import TaskResult
from dlq.execution.run_job import Hooks, run_job
from dlq.process.worker.job_notes import JobNotes
from dlq.types import QueueName, WorkerNumber
from tests.backends.storages import make_runner

ONE = WorkerNumber(1)
logger = logging.getLogger("dlq.worker")


class KeepingBackend(DlqBackend):
    """Keeps results although the suite gives no OPTIONS."""

    def __init__(self, alias: str, params: dict[str, Any]) -> None:
        super().__init__(alias, params)
        self.keep = 600.0
        self.supports_get_result = True


class RecordingBackend(KeepingBackend):
    def __init__(self, alias: str, params: dict[str, Any]) -> None:
        super().__init__(alias, params)
        self.results: list[TaskResult[Any]] = []

    def enqueue(self, task: Any, args: Any, kwargs: dict[str, Any]) -> TaskResult[Any]:
        result = super().enqueue(task, args, kwargs)
        self.results.append(result)
        return result

    def clear(self) -> None:
        self.results.clear()
        flush()


class EagerBackend(KeepingBackend):
    def enqueue(self, task: Any, args: Any, kwargs: dict[str, Any]) -> TaskResult[Any]:
        result = super().enqueue(task, args, kwargs)
        work_off(QueueName(task.queue_name))
        result.refresh()
        return result


def work_off(queue: QueueName) -> None:
    """Run what waits, as a worker does but for its process."""
    current = runtime.current()
    backend: BaseBackend = current.backend(queue)
    notes = JobNotes(backend, queue, f"{queue}/1", logger)
    hooks = Hooks((), logger)
    consumer = backend.consumer(queue, ONE, make_runner(), PreviousProcess(), logger)
    try:
        while (delivery := consumer.take(0)) is not None:
            assert delivery.job is not None
            before_call = partial(notes.started, delivery.raw, delivery.job)
            result = run_job(delivery.job, queue, ONE, hooks, before_call)
            if result.failure is None:
                notes.succeeded(delivery.job, result)
                consumer.acknowledge(delivery)
            else:
                notes.failed(delivery.job, result.failure, result)
                consumer.fail(delivery, result.failure)
    finally:
        consumer.close()


def flush() -> None:
    for backend in runtime.current().backends():
        client = getattr(backend, "client", None)
        if client is not None:
            client.flushdb()


def suite_files(text: str) -> Iterator[str]:
    """The lines of a file of Django's suite, with the shim in the places of Django's backends."""
    for line in text.splitlines():
        for name, ours in (("dummy.Dummy", "Recording"), ("immediate.Immediate", "Eager")):
            line = line.replace(
                f"django.tasks.backends.{name}Backend", f"tests.django_tasks.shim.{ours}Backend"
            )
            module, _, prefix = name.partition(".")
            line = line.replace(
                f"from django.tasks.backends.{module} import {prefix}Backend",
                f"from tests.django_tasks.shim import {ours}Backend as {prefix}Backend",
            )
        yield line
