"""What is noted on the server besides a job's own life: the lock of a unique job that starts, and
the result of a task of Django's framework.

Most jobs have neither. The room for Django's framework is imported with the first job that carries
the id of a result. Whatever goes wrong here is logged, and changes nothing about the job.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from dlq.backends.base import BaseBackend
from dlq.execution.run_job import Result
from dlq.job import Job
from dlq.jobs.failure import Failure
from dlq.jobs.task import RESULT_KEYWORD, Task
from dlq.types import Logger, QueueName

if TYPE_CHECKING:
    from dlq.django_tasks.recorder import Recorder


class JobNotes:
    """The notes of one worker. The end of a task is noted before the end of its job is reported: a
    process that is killed in between leaves no task that seems to run."""

    def __init__(self, backend: BaseBackend, queue: QueueName, worker: str, logger: Logger) -> None:
        self._backend = backend
        self._queue = queue
        self._worker = worker
        self._logger = logger
        self._recorder: Recorder | None = None

    def started(self, raw: bytes, job: Job, task: Task) -> None:
        """Note the start of a job, right before its function is called."""
        if task.unique is not None:
            self._guard(lambda: self._backend.unlock(self._queue, raw))
        if RESULT_KEYWORD in job.kwargs:
            self._guard(lambda: self._recorder_of_results().started(job, task))

    def succeeded(self, job: Job | None, result: Result) -> None:
        if job is not None and RESULT_KEYWORD in job.kwargs:
            self._guard(lambda: self._recorder_of_results().succeeded(job, result.value))

    def retried(self, job: Job | None, failure: Failure, result: Result | None = None) -> None:
        exception = result.exception if result else None
        if job is not None and RESULT_KEYWORD in job.kwargs:
            self._guard(lambda: self._recorder_of_results().retried(job, failure, exception))

    def failed(self, job: Job | None, failure: Failure, result: Result | None = None) -> None:
        exception = result.exception if result else None
        if job is not None and RESULT_KEYWORD in job.kwargs:
            self._guard(lambda: self._recorder_of_results().failed(job, failure, exception))

    def _recorder_of_results(self) -> Recorder:
        if self._recorder is None:
            from dlq.django_tasks.recorder import Recorder

            self._recorder = Recorder(self._backend, self._worker)
        return self._recorder

    def _guard(self, call: Callable[[], None]) -> None:
        try:
            call()
        except BaseException:
            self._logger.exception(
                "%s: the start or end of a job was not noted",
                self._worker,
                extra={"action": "note_failed"},
            )
