"""One job's run: find the task, call the middleware, call the function, call the middleware.

It knows nothing of storage or processes: the reader of the `Result` decides what happens to the
job. A job's outcome is its own function's; middleware can watch it and cannot change it.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable, Sequence
from types import CoroutineType
from typing import TYPE_CHECKING, Any, NamedTuple

from dlq.errors import UnknownTask
from dlq.execution.describe import describe, traceback_text
from dlq.execution.find_task import find_task
from dlq.execution.lazy_transaction import lazily_atomic
from dlq.job import Job, job_name
from dlq.jobs.failure import Failure, FailureKind
from dlq.primitives.text import printable
from dlq.types import Logger, QueueName, WorkerNumber

if TYPE_CHECKING:
    from dlq.jobs.task import Task

FORKED_CHILD = 70
"""Exit code (EX_SOFTWARE) of a process that a job forked and that came back from the job."""


LOGGING_MODULE = "dlq.middleware.logging"


class Result(NamedTuple):
    """How a run ended. `failure` and `exception` are None where it succeeded; `value` is what the
    function returned; `time_taken` is in seconds; `task` is None where none was found."""

    succeeded: bool
    time_taken: float
    value: Any = None
    failure: Failure | None = None
    exception: BaseException | None = None
    task: Task | None = None


class Hooks:
    """The middleware's methods, looked up once: `process_job` in the order of the setting, the
    other two in the reverse. What they raise, SystemExit included, is logged."""

    def __init__(self, middleware: Sequence[Any], logger: Logger) -> None:
        self._logger = logger
        self._before = _methods(middleware, "process_job")
        self._after_result = _methods(reversed(middleware), "process_result")
        self._after_exception = _methods(reversed(middleware), "process_exception")
        self._log_exceptions = any(map(_is_logging, middleware))

    def process_job(self, job: Job, queue: QueueName, worker_num: WorkerNumber) -> None:
        for hook in self._before:
            try:
                hook(job, queue, worker_num)
            except BaseException:
                self._log(hook, job)

    def process_result(self, job: Job, result: Any, time_taken: float) -> None:
        for hook in self._after_result:
            try:
                hook(job, result, time_taken)
            except BaseException:
                self._log(hook, job)

    def process_exception(self, job: Job, time_taken: float, error: BaseException) -> None:
        for hook in self._after_exception:
            try:
                hook(job, time_taken, type(error), error, error.__traceback__)
            except BaseException:
                self._log(hook, job)

    def log_level(self, failure: Failure) -> int:
        """The level for a failed job: one ERROR for each, and dlq's own middleware has logged what
        a task raised."""
        is_logged = failure.kind in ("raised", "unknown") and self._log_exceptions
        return logging.WARNING if is_logged else logging.ERROR

    def _log(self, hook: Callable[..., Any], job: Job) -> None:
        """Log the exception that is being handled. Never raises: the handler may write to a stream
        that the job has closed, and the job's outcome is known already."""
        try:
            owner = type(getattr(hook, "__self__", hook)).__name__
            name = f"{owner}.{getattr(hook, '__name__', '__call__')}"
            self._logger.exception(
                "middleware %s raised for a job of %s; the job's own outcome stays",
                name,
                printable(job_name(job)),
                extra={"action": "middleware_raised", "hook": name},
            )
        except BaseException:
            return


def _is_logging(middleware: Any) -> bool:
    return any(base.__module__ == LOGGING_MODULE for base in type(middleware).__mro__)


def run_job(
    job: Job,
    queue: QueueName,
    worker_num: WorkerNumber,
    hooks: Hooks,
    before_call: Callable[[Task], None] | None = None,
) -> Result:
    """Run a job here and now. Never raises: whatever the job does is in the result."""
    hooks.process_job(job, queue, worker_num)
    started = time.monotonic()
    task: Task | None = None
    try:
        task = find_task(job.path)
        if before_call is not None:
            before_call(task)
        value = _call(task, job)
    except BaseException as error:
        time_taken = time.monotonic() - started
        hooks.process_exception(job, time_taken, error)
        failure = _failure(error, task is None, time_taken, f"{queue}/{worker_num}")
        return Result(False, time_taken, failure=failure, exception=error, task=task)
    time_taken = time.monotonic() - started
    hooks.process_result(job, value, time_taken)
    return Result(True, time_taken, value, task=task)


def _call(task: Task, job: Job) -> Any:
    if not task.atomic:
        return _call_function(task.fn, job)
    with lazily_atomic():
        return _call_function(task.fn, job)


def _call_function(fn: Callable[..., Any], job: Job) -> Any:
    pid = os.getpid()
    try:
        value = fn(*job.args, **job.kwargs)
        if isinstance(value, CoroutineType):
            value = _await(value)
    finally:
        # Here, inside the transaction: a child that a job forked and that came back must neither
        # commit on its parent's connection nor acknowledge its parent's job.
        if os.getpid() != pid:
            _leave_forked_child(job)
    return value


def _await(coroutine: Any) -> Any:
    """Run the coroutine as Django runs async views under WSGI: its database calls come back to this
    thread, and so into the job's transaction."""
    from asgiref.sync import async_to_sync

    async def awaited() -> Any:
        return await coroutine

    return async_to_sync(awaited)()


def _leave_forked_child(job: Job) -> None:
    try:
        logging.getLogger("dlq.worker").error(
            "a job of %s forked and its child came back from it: the child ends here",
            printable(job_name(job)),
            extra={"action": "forked_child_ended"},
        )
    finally:
        os._exit(FORKED_CHILD)


def _failure(error: BaseException, is_unknown: bool, time_taken: float, worker: str) -> Failure:
    if is_unknown:
        cause = error.__cause__
        trace = "" if cause is None or isinstance(cause, ImportError) else traceback_text(cause)
        reason = printable(str(error), 500) if type(error) is UnknownTask else describe(error)
        return Failure("unknown", reason, trace, time_taken, 1, worker)
    # Not `isinstance`: that asks the object, whose class may define `__class__`.
    kind: FailureKind = "raised" if issubclass(type(error), Exception) else "exit"
    trace = traceback_text(error, skip=__file__)
    return Failure(kind, describe(error), trace, ran=time_taken, attempts=1, worker=worker)


def _methods(middleware: Iterable[Any], name: str) -> tuple[Callable[..., Any], ...]:
    found = (getattr(instance, name, None) for instance in middleware)
    return tuple(method for method in found if method is not None)
