"""Jobs that carry the id of a result: calls of tasks of Django's framework.

The room for that framework is imported with the first such job. Whatever goes wrong there is
logged, and changes nothing about the job.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from dlq.backends.base import BaseBackend
from dlq.execution.run_job import Result
from dlq.job import Job
from dlq.jobs.failure import Failure
from dlq.jobs.task import RESULT_KEYWORD, Task
from dlq.types import Logger

if TYPE_CHECKING:
    from dlq.django_tasks.recorder import Recorder


class TaskResults:
    """Records the start and the end of such jobs. What is not yet written is written before the
    server learns of the job's end: a process that is killed in between leaves no running task."""

    def __init__(self, backend: BaseBackend, worker: str, logger: Logger) -> None:
        self._backend = backend
        self._worker = worker
        self._logger = logger
        self._recorder: Recorder | None = None

    def started(self, job: Job, task: Task) -> None:
        if RESULT_KEYWORD in job.kwargs:
            self._guard(lambda recorder: recorder.started(job, task))

    def succeeded(self, job: Job | None, result: Result) -> None:
        if job is not None and RESULT_KEYWORD in job.kwargs:
            self._guard(lambda recorder: recorder.succeeded(job, result.value))

    def retried(self, job: Job | None, failure: Failure, result: Result | None = None) -> None:
        exception = result.exception if result else None
        if job is not None and RESULT_KEYWORD in job.kwargs:
            self._guard(lambda recorder: recorder.retried(job, failure, exception))

    def failed(self, job: Job | None, failure: Failure, result: Result | None = None) -> None:
        exception = result.exception if result else None
        if job is not None and RESULT_KEYWORD in job.kwargs:
            self._guard(lambda recorder: recorder.failed(job, failure, exception))

    def _guard(self, call: Callable[[Recorder], None]) -> None:
        try:
            if self._recorder is None:
                from dlq.django_tasks.recorder import Recorder

                self._recorder = Recorder(self._backend, self._worker)
            call(self._recorder)
        except BaseException:
            self._logger.exception(
                "%s: the result of a task was not recorded",
                self._worker,
                extra={"action": "result_not_recorded"},
            )
