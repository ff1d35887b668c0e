"""`@task()`: a function becomes something that is called like before and runs in a worker.

Declaring a task reads no settings and imports neither redis nor pydantic_settings: users' modules
are imported by every process of a project.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import update_wrapper
from types import GenericAlias
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, overload

from dlq.config import active
from dlq.enqueueing.call import Enqueue, P, request
from dlq.enqueueing.call_check import CallCheck
from dlq.enqueueing.configured import Configured
from dlq.enqueueing.options import (
    UNSET,
    CallOptions,
    Unset,
    placement_of,
    queue_name,
    timeout_of,
)
from dlq.errors import UnfindableTask, UnusableArgument, UnusableTask
from dlq.job import is_seconds
from dlq.jobs import declarations
from dlq.jobs.placement import AT_ONCE, Placement
from dlq.jobs.task import MAX_DELAY, MAX_RETRIES, Task
from dlq.primitives.text import short_repr
from dlq.types import QueueName, Source

if TYPE_CHECKING:
    from dlq.enqueueing.bulk import BulkEnqueue

R = TypeVar("R")


class TaskDeclaration:
    """`@task(...)` before its function is known. Applied to a function, it gives the task."""

    def __init__(self, source: Source, queue: str, **options: Any) -> None:
        self.source = source
        self.queue = QueueName(queue)
        self.options = options
        declarations.declare(self.queue, source)

    def __call__(self, fn: Callable[P, R]) -> TaskWrapper[P, R]:
        """Raises UnfindableTask, UnusableTask and UnusableArgument."""
        wrapper: TaskWrapper[P, R] = TaskWrapper(fn, self.queue, **self.options)
        declarations.declare(self.queue, self.source, wrapper.path, wrapper.retries)
        return wrapper


@overload
def task(queue: Callable[P, R], /) -> TaskWrapper[P, R]: ...
@overload
def task(
    queue: str = "default",
    timeout: float | None = None,
    sigkill_on_stop: bool = False,
    atomic: bool | None = None,
    *,
    retries: int = 0,
    retry_backoff: float = 30,
    unique: float | None = None,
) -> TaskDeclaration: ...
def task(
    queue: Any = "default",
    timeout: float | None = None,
    sigkill_on_stop: bool = False,
    atomic: bool | None = None,
    *,
    retries: int = 0,
    retry_backoff: float = 30,
    unique: float | None = None,
) -> Any:
    """Declare a task.

        @task()
        def send(order_id: int) -> None: ...

        send(81)    # enqueues a job and returns at once

    `queue`: where its jobs wait; the name may be new, one worker is implied for it. `timeout`:
    seconds of running after which the job is killed and becomes a failed job. `sigkill_on_stop`:
    when the workers stop, kill a running job at once and run it again later, instead of waiting for
    its end. `atomic`: run in a database transaction (ATOMIC_JOBS says so by default). `retries`:
    how many more times a job that raised is run, `retry_backoff` seconds after the first attempt
    and twice as long after each further one; a reliable backend is needed for that. `unique`: while
    an equal job waits, another is not stored, for at most that many seconds.

    Arguments must be what JSON can carry: strings, numbers, booleans, None, lists, and dicts with
    string keys. Tuples arrive as lists.
    """
    declaration = TaskDeclaration(
        _caller("task"),
        "default" if callable(queue) else queue,
        timeout=timeout,
        sigkill_on_stop=sigkill_on_stop,
        atomic=atomic,
        retries=retries,
        retry_backoff=retry_backoff,
        unique=unique,
    )
    return declaration(queue) if callable(queue) else declaration


class TaskWrapper(Enqueue[P, bool], Task, Generic[P, R]):
    """A declared task. Calling it enqueues a job; `fn` is the function itself. A call returns
    whether the job was stored: False only where the task is unique and an equal job waits."""

    def __class_getitem__(cls, item: Any) -> Any:
        """Accept one parameter too, as annotations of 4.11 have it: `TaskWrapper[Callable[…]]`."""
        if not isinstance(item, tuple):
            return GenericAlias(cls, item)
        return cast("Any", super()).__class_getitem__(item)

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
        unique: float | None = None,
    ) -> None:
        require_task_function(fn)
        self.path = f"{fn.__module__}.{fn.__name__}"
        check_task_options(
            self.path,
            timeout=timeout,
            retries=retries,
            retry_backoff=retry_backoff,
            unique=unique,
        )
        self.fn: Callable[P, R] = fn
        self.queue = queue
        self.timeout = timeout
        self.sigkill_on_stop = sigkill_on_stop
        self.retries = retries
        self.retry_backoff = retry_backoff
        self.unique = unique
        self._atomic = atomic
        placement = AT_ONCE if unique is None else Placement(unique=unique)
        self._options = CallOptions(queue, timeout, sigkill_on_stop, placement)
        self._check = CallCheck(self)
        update_wrapper(cast("Callable[..., Any]", self), fn)

    def __repr__(self) -> str:
        return f"<TaskWrapper: {self.path}>"

    @property
    def atomic(self) -> bool:
        if self._atomic is None:
            return active.settings().atomic_jobs
        return self._atomic

    def using(
        self,
        *,
        queue: str | None = None,
        timeout: float | Unset | None = UNSET,
        sigkill_on_stop: bool | None = None,
        delay: float | timedelta = 0,
        at: datetime | None = None,
        unique_key: str | None = None,
        database: str | None = None,
    ) -> Configured[P]:
        """Return the task with options for some calls: `confirm.using(delay=60)(81)`.

        `queue`, `timeout` and `sigkill_on_stop` override the task's own. `delay` (seconds, or a
        timedelta) or `at` (an aware datetime) is when the job is due, at most a year ahead; a delay
        begins when the job is stored. `unique_key` takes the place of the arguments where the task
        is unique. `database` is whose commit `.on_commit` waits for.
        """
        options = self._options
        if queue is not None:
            options = options._replace(queue=queue_name(self.path, "queue", queue))
        if timeout is not UNSET:
            options = options._replace(timeout=timeout_of(self.path, "timeout", timeout))
        if sigkill_on_stop is not None:
            options = options._replace(sigkill_on_stop=bool(sigkill_on_stop))
        if delay or at is not None:
            placement = placement_of(self.path, delay, at, self.unique)
            options = options._replace(placement=placement if any(placement) else AT_ONCE)
        if unique_key is not None:
            _require_unique_key(self, unique_key)
        return Configured(self._check, options._replace(unique_key=unique_key, database=database))

    @property
    def on_commit(self) -> Enqueue[P, None]:
        """The call that waits for the commit, as `Configured.on_commit` has it."""
        return Configured[P](self._check, self._options).on_commit

    def bulk_enqueue(
        self, batch_size: int = 1000, queue_override: str | None = None
    ) -> BulkEnqueue[P]:
        """Send calls in batches, as `Configured.bulk_enqueue` does."""
        return Configured[P](self._check, self._options).bulk_enqueue(batch_size, queue_override)

    def _enqueue(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        return request(self._check, args, kwargs, self._options).store()


def contribute_implied_queue_name(queue: str) -> None:
    """Say that code enqueues to `queue` although no decorator names it: one worker is implied."""
    declarations.declare(QueueName(queue), _caller("contribute_implied_queue_name"))


def require_task_function(fn: Callable[..., Any]) -> None:
    """Raise UnfindableTask or UnusableTask for what no worker could find or run."""
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
    if inspect.isgeneratorfunction(fn) or inspect.isasyncgenfunction(fn):
        raise UnusableTask(
            f"{module}.{name} cannot be a task: it is a generator function, and calling it runs"
            " nothing of its body; remove yield, or move the loop into a task that consumes it"
        )


def check_task_options(
    path: str, *, timeout: object, retries: object, retry_backoff: object, unique: object
) -> None:
    """Raise UnusableArgument for what is no duration or no count within its bounds."""
    timeout_of(path, "timeout", timeout)
    is_count = isinstance(retries, int) and not isinstance(retries, bool)
    if not is_count or not 0 <= cast("int", retries) <= MAX_RETRIES:
        raise UnusableArgument(
            f"{path}: retries is {short_repr(retries)}: give a whole number from 0 to {MAX_RETRIES}"
        )
    _require_seconds(path, "retry_backoff", retry_backoff, "a number of seconds")
    if unique is not None:
        _require_seconds(path, "unique", unique, "a number of seconds above 0")
        if not unique:
            raise UnusableArgument(f"{path}: unique is 0: give a number of seconds above 0")


def _require_unique_key(task: Task, key: object) -> None:
    if task.unique is None:
        raise UnusableArgument(
            f"{task.path}: unique_key is given, and the task is not unique: declare it with"
            " @task(unique=SECONDS)"
        )
    if not isinstance(key, str) or not key:
        raise UnusableArgument(f"{task.path}: unique_key is {short_repr(key)}: give a text")


def _require_seconds(path: str, name: str, value: object, what: str) -> None:
    if not is_seconds(value, MAX_DELAY):
        raise UnusableArgument(
            f"{path}: {name} is {short_repr(value)}: give {what}, up to {MAX_DELAY} (a year)"
        )


def _caller(name: str) -> Source:
    """Return the user's line that called us: cheaper than searching the file, and always right."""
    frame = sys._getframe(2)
    return Source("task", file=frame.f_code.co_filename, line=frame.f_lineno, name=f"@{name}")
