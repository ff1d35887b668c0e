"""`@task()`: a function becomes something that is called like before and runs in a worker.

Declaring a task reads no settings and imports neither redis nor pydantic_settings: users' modules
are imported by every process of a project.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import update_wrapper
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, cast, overload

from dlq.config import active
from dlq.errors import UnfindableTask, UnusableArgument
from dlq.job import Job, check_arguments, is_timeout, new_job
from dlq.jobs import declarations as queues
from dlq.jobs.batch import Batch
from dlq.jobs.queue_names import check_queue_name
from dlq.primitives.text import short_repr
from dlq.types import QueueName, Source

if TYPE_CHECKING:
    from dlq.backends.base import BaseBackend

P = ParamSpec("P")
R = TypeVar("R")

OPTION_PREFIX = "django_lightweight_queue_"
OPTIONS = {OPTION_PREFIX + name: name for name in ("queue", "timeout", "sigkill_on_stop")}
"""What may be given at call time: with the prefix, and what it means."""


class Enqueue(Generic[P]):
    """What enqueues is called like its function; or with one or more of the three options, in which
    case a type checker lets the other arguments pass (a type can't say "these, and its own")."""

    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> None: ...
    @overload
    def __call__(
        self,
        *args: Any,
        django_lightweight_queue_queue: str,
        django_lightweight_queue_timeout: float | None = ...,
        django_lightweight_queue_sigkill_on_stop: bool = ...,
        **kwargs: Any,
    ) -> None: ...
    @overload
    def __call__(
        self,
        *args: Any,
        django_lightweight_queue_timeout: float | None,
        django_lightweight_queue_sigkill_on_stop: bool = ...,
        **kwargs: Any,
    ) -> None: ...
    @overload
    def __call__(
        self, *args: Any, django_lightweight_queue_sigkill_on_stop: bool, **kwargs: Any
    ) -> None: ...

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        """Enqueue a job. Keyword arguments `django_lightweight_queue_queue`, `…_timeout` and
        `…_sigkill_on_stop` override the task's own for this call.

        Raises UnusableArgument, and EnqueueError where the server did not take it.
        """
        self._enqueue(args, kwargs)

    def _enqueue(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        raise NotImplementedError


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
        queues.declare(self.queue, self.source, wrapper.path, self.retries)
        return wrapper


class TaskWrapper(Enqueue[P], Generic[P, R]):
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
        self.path = f"{fn.__module__}.{fn.__name__}"
        _require_timeout(self.path, "timeout", timeout)
        _require_retries(self.path, retries, retry_backoff)
        self.fn = fn
        self.queue = queue
        self.timeout = timeout
        self.sigkill_on_stop = sigkill_on_stop
        self.retries = retries
        self.retry_backoff = retry_backoff
        self._atomic = atomic
        self._was_found = False
        update_wrapper(cast("Callable[..., Any]", self), fn)

    def __repr__(self) -> str:
        return f"<TaskWrapper: {self.path}>"

    @property
    def atomic(self) -> bool:
        if self._atomic is None:
            return active.settings().atomic_jobs
        return self._atomic

    @property
    def on_commit(self) -> Enqueue[P]:
        """Called like the task: enqueues when the current database transaction commits, and never
        if it rolls back; at once outside of a transaction. The job is made now, so wrong arguments
        are told now, and what happens to mutable ones later changes nothing."""
        return OnCommit(self)

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

    def _enqueue(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        job, queue = self._job(args, kwargs)
        _backend(queue).enqueue(job, queue)

    def _job(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Job, QueueName]:
        """The job of a call, and the queue for it."""
        queue, timeout, sigkill_on_stop = self._check(args, kwargs, self.queue)
        return new_job(self.path, args, kwargs, timeout, sigkill_on_stop), queue

    def _check(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], queue: QueueName
    ) -> tuple[QueueName, float | None, bool]:
        """What holds for a call: the queue (`queue`, unless the call names another), `timeout` and
        `sigkill_on_stop`. Takes the options out of `kwargs`."""
        if not self._was_found:
            _require_found(self)
            self._was_found = True
        timeout, sigkill_on_stop = self.timeout, self.sigkill_on_stop
        if kwargs and not OPTIONS.keys().isdisjoint(kwargs):
            options = _take_options(self.path, kwargs)
            queue = options.get("queue", queue)
            timeout = options.get("timeout", timeout)
            sigkill_on_stop = options.get("sigkill_on_stop", sigkill_on_stop)
        if args or kwargs:
            check_arguments(self.path, args, kwargs)
        return queue, timeout, sigkill_on_stop


class OnCommit(Enqueue[P]):
    """Enqueues a task when the current transaction commits."""

    def __init__(self, wrapper: TaskWrapper[P, Any]) -> None:
        self._wrapper = wrapper

    def _enqueue(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        from django.db import transaction

        job, queue = self._wrapper._job(args, kwargs)
        transaction.on_commit(lambda: _backend(queue).enqueue(job, queue))


class BulkEnqueue(Enqueue[P]):
    """One bulk_enqueue block. Jobs leave in the order of the calls, one queue's at a time."""

    def __init__(
        self, wrapper: TaskWrapper[P, Any], batch_size: int, queue_override: str | None
    ) -> None:
        if batch_size < 1:
            raise ValueError(f"bulk_enqueue: batch_size is {batch_size}, and must be 1 or more")
        self._wrapper = wrapper
        self._batch_size = batch_size
        if queue_override:
            _require_queue_name(wrapper.path, "queue_override", queue_override)
        self._queue = QueueName(queue_override or wrapper.queue)
        self._waiting: dict[QueueName, Batch] = {}
        self._is_open = False

    def __enter__(self) -> Enqueue[P]:
        self._is_open = True
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_open = False
        if exc_type is None:
            for queue in list(self._waiting):
                self._send(queue)

    def _enqueue(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if not self._is_open:
            raise RuntimeError(
                f"{self._wrapper.path}: this bulk_enqueue block has ended, and nothing would send"
                " the job: call it within the with block"
            )
        queue, timeout, sigkill_on_stop = self._wrapper._check(args, kwargs, self._queue)
        batch = self._waiting.get(queue)
        if batch is None:
            batch = self._waiting[queue] = Batch()
        batch.add(self._wrapper.path, args, kwargs, timeout, sigkill_on_stop)
        if len(batch.raws) >= self._batch_size:
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


def _take_options(path: str, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Remove the call-time options from `kwargs`, and give them without their prefix."""
    options = {name: kwargs.pop(given) for given, name in OPTIONS.items() if given in kwargs}
    if "queue" in options:
        _require_queue_name(path, f"{OPTION_PREFIX}queue", options["queue"])
    _require_timeout(path, f"{OPTION_PREFIX}timeout", options.get("timeout"))
    if "sigkill_on_stop" in options:
        options["sigkill_on_stop"] = bool(options["sigkill_on_stop"])
    return options


def _require_queue_name(path: str, name: str, value: object) -> None:
    """By the same rule as the names in WORKERS: some would be other keys on the server."""
    problem = check_queue_name(value)
    if problem is not None:
        help = f"; {problem.help}" if problem.help else ""
        raise UnusableArgument(f"{path}: {name} is {short_repr(value)}: {problem.text}{help}")


def _require_timeout(path: str, name: str, value: object) -> None:
    if not is_timeout(value):
        raise UnusableArgument(
            f"{path}: {name} is {value!r}: give a number of seconds, or None for no limit"
        )


def _require_retries(path: str, retries: object, backoff: object) -> None:
    if not isinstance(retries, int) or isinstance(retries, bool) or retries < 0:
        raise UnusableArgument(f"{path}: retries is {retries!r}: give a whole number, 0 for none")
    if backoff is None or not is_timeout(backoff):
        raise UnusableArgument(f"{path}: retry_backoff is {backoff!r}: give a number of seconds")


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


def _require_found(wrapper: TaskWrapper[..., Any]) -> None:
    """At the first call, when the module has been imported to its end."""
    module, _, name = wrapper.path.rpartition(".")
    if module == "__main__":
        raise UnfindableTask(
            f"{name} is declared in the script that is being run, where no worker can import it:"
            " move it to a module, best the tasks module of an installed app"
        )
    if not isinstance(getattr(sys.modules.get(module), name, None), TaskWrapper):
        raise UnfindableTask(
            f"{wrapper.path} is not the task that it was declared as, so no worker could find it:"
            f" keep the name {name} in {module} for what @task gave"
        )
