"""What a worker records of a task of the framework: its start and its end, in the result and by the
framework's signals.

Nothing here waits for the server, but for a task that takes its context: that needs its record.
"""

from __future__ import annotations

import json
import logging
import time
from datetime import UTC, datetime
from typing import Any

from dlq import runtime
from dlq.backends.base import BaseBackend
from dlq.backends.results import BackendWithResults
from dlq.django_tasks.declared import RunnableTask
from dlq.django_tasks.framework import (
    TaskError,
    TaskResult,
    TaskResultStatus,
    normalize_json,
    task_finished,
    task_started,
)
from dlq.django_tasks.records import change, error_text, result_of, running_result
from dlq.errors import DlqError, TimedOut, UnknownTask, WorkerDied
from dlq.execution.run_job import Result
from dlq.job import Job, decode, encode
from dlq.jobs.failure import Failure
from dlq.jobs.task import RESULT_KEYWORD, Task
from dlq.types import QueueName, WorkerNumber

REASONS: dict[str, type[DlqError]] = {
    "timeout": TimedOut,
    "unknown": UnknownTask,
    "crashed": WorkerDied,
    "killed": WorkerDied,
}
"""The exception class of a result whose task raised none: others died with their worker."""

KEEP = 86_400.0
"""Seconds for which a result is kept whose task, and so its backend's option, cannot be found."""

logger = logging.getLogger("dlq.worker")


class Recorder:
    """Records for one worker. Each method is called for a job that carries the id of a result."""

    def __init__(self, backend: BaseBackend, worker: str) -> None:
        self._backend = backend if isinstance(backend, BackendWithResults) else None
        self._worker = worker
        self._result: TaskResult[Any] | None = None
        self._keep = KEEP
        self._sender: type = type(None)

    def started(self, job: Job, task: Task) -> None:
        """Record the start, right before the task's function is called."""
        self._result, self._keep = None, KEEP
        if not isinstance(task, RunnableTask):
            return
        moment = time.time()
        self._keep = getattr(task.backend, "keep", 0.0)
        id, kwargs = _id_of(job), _kwargs_of(job)
        result = running_result(task.task, id, job.args, kwargs, self._worker, moment)
        if self._keep and self._backend is not None:
            if task.task.takes_context:
                self._read_earlier_attempts(result)
            self._backend.note_started(id, moment, self._worker, self._keep)
        self._result = task.result = result
        self._sender = type(task.backend)
        task_started.send(self._sender, task_result=result)

    def succeeded(self, job: Job, value: Any) -> None:
        """Record the end. A value that JSON cannot carry makes it a failure of the task: its job is
        done all the same."""
        try:
            normal = normalize_json(value)
            text = json.dumps(normal, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            self._end(job, TaskResultStatus.FAILED, error=error_text(error, f"{error}\n"))
            return
        if self._result is not None:
            change(self._result, _return_value=normal)
        self._end(job, TaskResultStatus.SUCCESSFUL, value=text)

    def retried(self, job: Job, failure: Failure, exception: BaseException | None) -> None:
        """Record an attempt that failed and is not the last one."""
        self._note(job, TaskResultStatus.READY, None, error=_error(failure, exception))
        self._result = None

    def failed(self, job: Job, failure: Failure, exception: BaseException | None) -> None:
        error = _error(failure, exception)
        self._end(job, TaskResultStatus.FAILED, error=error, exception=exception)

    def _end(
        self,
        job: Job,
        status: TaskResultStatus,
        *,
        value: str = "",
        error: str = "",
        exception: BaseException | None = None,
    ) -> None:
        moment = time.time()
        self._note(job, status, moment, value=value, error=error)
        result, self._result = self._result, None
        if result is None:
            return
        change(result, status=status, finished_at=datetime.fromtimestamp(moment, UTC))
        if error:
            path, traceback = json.loads(error)
            result.errors.append(TaskError(exception_class_path=path, traceback=traceback))
        _send_finished(self._sender, result, exception)

    def _note(
        self,
        job: Job,
        status: TaskResultStatus,
        moment: float | None,
        *,
        value: str = "",
        error: str = "",
    ) -> None:
        if self._backend is not None and self._keep:
            keep = self._keep
            self._backend.note_ended(_id_of(job), status.value, moment, value, error, keep)

    def _read_earlier_attempts(self, result: TaskResult[Any]) -> None:
        assert self._backend is not None
        record = self._backend.read_result(result.id)
        if record is None:
            return
        stored = result_of(result.id, record)
        change(
            result,
            task=stored.task,
            enqueued_at=stored.enqueued_at,
            started_at=stored.started_at or result.started_at,
            errors=stored.errors,
            worker_ids=[*stored.worker_ids, *result.worker_ids],
        )


def run_here(job: Job, queue: QueueName, result: TaskResult[Any]) -> None:
    """Run a job in the calling process, and let `result` say how it ended."""
    recorder = Recorder(runtime.current().backend(queue), "here")
    decoded = decode(encode(job))

    def before_call(task: Task) -> None:
        recorder.started(decoded, task)
        started = recorder._result
        if started is not None:
            change(
                result,
                status=started.status,
                started_at=started.started_at,
                last_attempted_at=started.last_attempted_at,
                worker_ids=started.worker_ids,
            )
            recorder._result = result

    outcome = runtime.current().run(decoded, queue, WorkerNumber(0), before_call)
    record_outcome(recorder, decoded, outcome)


def record_outcome(recorder: Recorder, job: Job, outcome: Result) -> None:
    if outcome.failure is None:
        recorder.succeeded(job, outcome.value)
    else:
        recorder.failed(job, outcome.failure, outcome.exception)


def _send_finished(sender: type, result: TaskResult[Any], exception: BaseException | None) -> None:
    """Send the signal as the framework's own backends do: within the handling of the exception, so
    that its log has the traceback."""
    if exception is None:
        task_finished.send(sender, task_result=result)
        return
    try:
        raise exception
    except BaseException:
        task_finished.send(sender, task_result=result)


def _error(failure: Failure, exception: BaseException | None) -> str:
    kind = exception or REASONS.get(failure.kind, WorkerDied)
    return error_text(kind, f"{failure.traceback or failure.reason}\n")


def _id_of(job: Job) -> str:
    return str(job.kwargs.get(RESULT_KEYWORD, ""))


def _kwargs_of(job: Job) -> dict[str, Any]:
    return {name: value for name, value in job.kwargs.items() if name != RESULT_KEYWORD}
