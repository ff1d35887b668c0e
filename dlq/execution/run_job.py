"""One job's run: find the task, call the middleware, call the function, call the middleware.

It knows nothing of storage or processes: the reader of the `Result` decides what happens to the
job. A job's outcome is its own function's; middleware can watch it and cannot change it.
"""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from types import CoroutineType, TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

from dlq.errors import UnknownTask
from dlq.execution.find_task import find_task
from dlq.execution.lazy_transaction import lazily_atomic
from dlq.job import Job, job_name
from dlq.jobs.failure import Failure, FailureKind
from dlq.primitives.text import printable, printable_lines
from dlq.types import Logger, QueueName, WorkerNumber

if TYPE_CHECKING:
    from dlq.jobs.task import Task

TRACEBACK_LIMIT = 16_384
"""Characters. It is stored with the failed job, and a thousand of them are kept per queue."""

FORKED_CHILD = 70
"""Exit code (EX_SOFTWARE) of a process that a job forked and that came back from the job."""


class Result(NamedTuple):
    """How a run ended. `failure` and `exception` are None where it succeeded; `value` is what the
    function returned; `time_taken` is in seconds."""

    succeeded: bool
    time_taken: float
    value: Any = None
    failure: Failure | None = None
    exception: BaseException | None = None


class Hooks:
    """The middleware's methods, looked up once: `process_job` in the order of the setting, the
    other two in the reverse. What they raise is logged."""

    def __init__(self, middleware: Sequence[Any], logger: Logger) -> None:
        self._logger = logger
        self._before = _methods(middleware, "process_job")
        self._after_result = _methods(reversed(middleware), "process_result")
        self._after_exception = _methods(reversed(middleware), "process_exception")

    def process_job(self, job: Job, queue: QueueName, worker_num: WorkerNumber) -> None:
        for hook in self._before:
            try:
                hook(job, queue, worker_num)
            except Exception:
                self._log(hook, job)

    def process_result(self, job: Job, result: Any, time_taken: float) -> None:
        for hook in self._after_result:
            try:
                hook(job, result, time_taken)
            except Exception:
                self._log(hook, job)

    def process_exception(self, job: Job, time_taken: float, error: BaseException) -> None:
        for hook in self._after_exception:
            try:
                hook(job, time_taken, type(error), error, error.__traceback__)
            except Exception:
                self._log(hook, job)

    def _log(self, hook: Callable[..., Any], job: Job) -> None:
        name = f"{type(getattr(hook, '__self__', hook)).__name__}.{hook.__name__}"
        self._logger.exception(
            "middleware %s raised for a job of %s; the job's own outcome stands",
            name,
            printable(job_name(job)),
            extra={"action": "middleware_raised", "hook": name},
        )


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
    try:
        task = _find(job)
        if before_call is not None:
            before_call(task)
        value = _call(task, job)
    except BaseException as raised:
        time_taken = time.monotonic() - started
        is_unknown = isinstance(raised, _NotFound)
        error = raised.unknown if isinstance(raised, _NotFound) else raised
        hooks.process_exception(job, time_taken, error)
        failure = _failure(error, is_unknown, time_taken, f"{queue}/{worker_num}")
        return Result(False, time_taken, failure=failure, exception=error)
    time_taken = time.monotonic() - started
    hooks.process_result(job, value, time_taken)
    return Result(True, time_taken, value)


class _NotFound(Exception):
    """No task for the job: differs from an UnknownTask that a task itself raises."""

    def __init__(self, unknown: UnknownTask) -> None:
        self.unknown = unknown


def _find(job: Job) -> Task:
    try:
        return find_task(job.path)
    except UnknownTask as error:
        raise _NotFound(error) from None


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
        import logging

        logging.getLogger("dlq.worker").error(
            "a job of %s forked and its child came back from it: the child ends here",
            printable(job_name(job)),
            extra={"action": "forked_child_ended"},
        )
    finally:
        os._exit(FORKED_CHILD)


def _failure(error: BaseException, is_unknown: bool, time_taken: float, worker: str) -> Failure:
    if is_unknown:
        return Failure("unknown", printable(str(error), 500), "", time_taken, 1, worker)
    kind: FailureKind = "raised" if isinstance(error, Exception) else "exit"
    return Failure(
        kind, describe(error), traceback_text(error), ran=time_taken, attempts=1, worker=worker
    )


def describe(error: BaseException) -> str:
    """One line for people: `ValueError: no such order`."""
    name = type(error).__name__
    try:
        text = str(error)
    except Exception:
        text = "(its text cannot be shown: str() raised)"
    return printable(f"{name}: {text}" if text else name, 500)


def traceback_text(error: BaseException) -> str:
    """The traceback from the task's own frame on, cut to TRACEBACK_LIMIT."""
    try:
        lines = traceback.format_exception(type(error), error, _from_task(error.__traceback__))
    except Exception:
        return describe(error)
    return printable_lines("".join(lines).rstrip("\n"), TRACEBACK_LIMIT)


def _from_task(trace: TracebackType | None) -> TracebackType | None:
    """Without our own frames, unless there are no others."""
    first = trace
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    return trace or first


def _methods(middleware: Iterable[Any], name: str) -> tuple[Callable[..., Any], ...]:
    found = (getattr(instance, name, None) for instance in middleware)
    return tuple(method for method in found if method is not None)
