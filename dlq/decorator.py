"""`@task()`: a function becomes something that is called like before and runs in a worker.

Declaring a task reads no settings and imports neither redis nor pydantic_settings: users' modules
are imported by every process of a project.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import update_wrapper
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, cast

from dlq import queues
from dlq.errors import UnfindableTask
from dlq.job import Job, check_arguments
from dlq.types import QueueName, Source

if TYPE_CHECKING:
    from dlq.backends.base import BaseBackend

P = ParamSpec("P")
R = TypeVar("R")

OPTION_PREFIX = "django_lightweight_queue_"
OPTIONS = ("queue", "timeout", "sigkill_on_stop")
"""What may be given at call time, with the prefix."""


class task:
    """Declare a task.

        @task()
        def send(order_id: int) -> None: ...

        send(81)    # enqueues a job and returns at once

    `queue`: where its jobs wait; the name may be new, one worker is implied for it. `timeout`:
    seconds of running after which the job is killed and becomes a failed job. `sigkill_on_stop`:
    when the workers stop, kill a running job at once and run it again later, instead of waiting for
    its end. `atomic`: run in a database transaction (ATOMIC_JOBS says so by default). `retries`:
    how many more times a job that raised is run, `retry_backoff` seconds after the first attempt
    and twice as long after each further one; a reliable backend is needed for that.

    Arguments must be what JSON can carry: strings, numbers, booleans, None, lists, and dicts with
    string keys. Tuples arrive as lists.
    """

    def __init__(
        self,
        queue: str = "default",
        timeout: float | None = None,
        sigkill_on_stop: bool = False,
        atomic: bool | None = None,
        *,
        retries: int = 0,
        retry_backoff: float = 30,
    ) -> None:
        self.queue = QueueName(queue)
        self.timeout = timeout
        self.sigkill_on_stop = sigkill_on_stop
        self.atomic = atomic
        self.retries = retries
        self.retry_backoff = retry_backoff
        self.source = _caller("task")
        queues.declare(self.queue, self.source)

    def __call__(self, fn: Callable[P, R]) -> TaskWrapper[P, R]:
        """Raises UnfindableTask."""
        wrapper = TaskWrapper(
            fn,
            self.queue,
            self.timeout,
            self.sigkill_on_stop,
            self.atomic,
            retries=self.retries,
            retry_backoff=self.retry_backoff,
        )
        queues.declare(self.queue, self.source, wrapper.path)
        return wrapper


class TaskWrapper(Generic[P, R]):
    """A declared task. Calling it enqueues a job; `fn` is the function itself."""

    def __init__(
        self,
        fn: Callable[P, R],
        queue: QueueName,
        timeout: float | None,
        sigkill_on_stop: bool,
        atomic: bool | None,
        *,
        retries: int = 0,
        retry_backoff: float = 30,
    ) -> None:
        _require_findable(fn)
        self.fn = fn
        self.queue = queue
        self.timeout = timeout
        self.sigkill_on_stop = sigkill_on_stop
        self.retries = retries
        self.retry_backoff = retry_backoff
        self._atomic = atomic
        self.path = f"{fn.__module__}.{fn.__name__}"
        update_wrapper(cast("Callable[..., Any]", self), fn)

    def __repr__(self) -> str:
        return f"<TaskWrapper: {self.path}>"

    @property
    def atomic(self) -> bool:
        if self._atomic is None:
            from dlq.config import active

            return active.settings().atomic_jobs
        return self._atomic

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Enqueue a job. Keyword arguments `django_lightweight_queue_queue`, `…_timeout` and
        `…_sigkill_on_stop` override the task's own for this call.

        Raises UnusableArgument, and EnqueueError where the server did not take it.
        """
        options = _take_options(kwargs)
        job = self._job(args, kwargs, options)
        queue = QueueName(options.get("queue", self.queue))
        _backend(queue).enqueue(job, queue)

    def on_commit(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Enqueue when the current database transaction commits, and never if it rolls back; at
        once outside of a transaction. The arguments are checked now."""
        from django.db import transaction

        options = _take_options(kwargs)
        job = self._job(args, kwargs, options)
        queue = QueueName(options.get("queue", self.queue))
        transaction.on_commit(lambda: _backend(queue).enqueue(job, queue))

    def bulk_enqueue(
        self, batch_size: int = 1000, queue_override: str | None = None
    ) -> BulkEnqueue[P]:
        """A context manager that gives a function to enqueue with, which sends in batches:

            with send.bulk_enqueue() as enqueue:
                for order in orders:
                    enqueue(order.pk)

        When the block raises, nothing more is sent (full batches may have been).
        """
        return BulkEnqueue(self, batch_size, queue_override)

    def _job(self, args: tuple[Any, ...], kwargs: dict[str, Any], options: dict[str, Any]) -> Job:
        check_arguments(self.path, args, kwargs)
        return Job(
            self.path,
            args,
            kwargs,
            options.get("timeout", self.timeout),
            options.get("sigkill_on_stop", self.sigkill_on_stop),
        )


class BulkEnqueue(Generic[P]):
    """One bulk_enqueue block. Jobs leave in the order of the calls, one queue's at a time."""

    def __init__(
        self, wrapper: TaskWrapper[P, Any], batch_size: int, queue_override: str | None
    ) -> None:
        if batch_size < 1:
            raise ValueError(f"bulk_enqueue: batch_size is {batch_size}, and must be 1 or more")
        self._wrapper = wrapper
        self._batch_size = batch_size
        self._queue_override = queue_override
        self._waiting: dict[QueueName, list[Job]] = {}

    def __enter__(self) -> Callable[P, None]:
        return self._enqueue

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exc_type is None:
            for queue in list(self._waiting):
                self._send(queue)

    def _enqueue(self, *args: P.args, **kwargs: P.kwargs) -> None:
        options = _take_options(kwargs)
        job = self._wrapper._job(args, kwargs, options)
        queue = QueueName(options.get("queue", self._queue_override or self._wrapper.queue))
        waiting = self._waiting.setdefault(queue, [])
        waiting.append(job)
        if len(waiting) >= self._batch_size:
            self._send(queue)

    def _send(self, queue: QueueName) -> None:
        jobs = self._waiting.pop(queue)
        _backend(queue).bulk_enqueue(jobs, queue)


def contribute_implied_queue_name(queue: str) -> None:
    """Say that code enqueues to `queue` although no decorator names it: one worker is implied."""
    queues.declare(QueueName(queue), _caller("contribute_implied_queue_name"))


def _backend(queue: QueueName) -> BaseBackend:
    from dlq import runtime

    return runtime.current().backend(queue)


def _take_options(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Remove the call-time options from `kwargs`, and give them without their prefix."""
    return {
        name: kwargs.pop(OPTION_PREFIX + name) for name in OPTIONS if OPTION_PREFIX + name in kwargs
    }


def _caller(name: str) -> Source:
    """The user's line that called us: cheaper and truer than searching the file for it."""
    frame = sys._getframe(2)
    return Source("task", file=frame.f_code.co_filename, line=frame.f_lineno, name=f"@{name}")


def _require_findable(fn: Callable[..., Any]) -> None:
    name = getattr(fn, "__name__", None)
    qualname = getattr(fn, "__qualname__", name)
    module = getattr(fn, "__module__", None)
    if name is None or module is None:
        raise UnfindableTask(f"{fn!r} has no name that a worker could find it by: use a function")
    if name == "<lambda>" or qualname != name:
        raise UnfindableTask(
            f"{module}.{qualname} cannot be a task: a worker finds a task as an attribute of its"
            " module, so define it with def at the top level of the module"
        )
