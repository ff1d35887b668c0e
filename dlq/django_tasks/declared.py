"""A task of the framework that is declared for dlq, and how it is run in a worker.

Its queue is declared when the module with the task is imported, with the line of the decorator, so
that `dlq plan` and `dlq check` see it like a task of dlq's own.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any

from dlq.config import active
from dlq.django_tasks.framework import (
    PACKAGE,
    BaseTaskBackend,
    FrameworkTask,
    InvalidTask,
    TaskContext,
    TaskResult,
)
from dlq.errors import UnusableArgument
from dlq.jobs import declarations
from dlq.jobs.task import RESULT_KEYWORD, Task, register_adapter
from dlq.types import QueueName, Source

EXTRAS = ("timeout", "sigkill_on_stop", "retries", "retry_backoff", "atomic", "unique")
"""What a task of dlq's own may say in its decorator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DlqTask(FrameworkTask):  # type: ignore[type-arg]
    """The framework's task with the options of `dlq.task`. None means what OPTIONS["defaults"] of
    the backend says, else the default of `dlq.task`."""

    timeout: float | None = None
    sigkill_on_stop: bool | None = None
    retries: int | None = None
    retry_backoff: float | None = None
    atomic: bool | None = None
    unique: float | None = None

    def __post_init__(self) -> None:
        # Not super(): with slots, the class is made a second time and this one is another.
        FrameworkTask.__post_init__(self)
        try:
            check_extras(self.module_path, {name: getattr(self, name) for name in EXTRAS})
        except UnusableArgument as error:
            raise InvalidTask(str(error)) from error
        source = _decorator_line()
        if source is not None:
            queue, retries = (
                QueueName(self.queue_name),
                option(self, "retries", self.get_backend()) or 0,
            )
            declarations.declare(queue, source, self.module_path, retries)


def check_extras(place: str, values: dict[str, Any]) -> None:
    """Raise UnusableArgument for what is no duration or no count within its bounds."""
    from dlq.decorator import check_task_options

    check_task_options(
        place,
        timeout=values.get("timeout"),
        retries=values.get("retries") or 0,
        retry_backoff=values.get("retry_backoff") or 0,
        unique=values.get("unique"),
    )


def option(task: FrameworkTask[Any, Any], name: str, backend: BaseTaskBackend) -> Any:
    """Return what the task says, or else the defaults of its backend; None for neither."""
    value = getattr(task, name, None)
    if value is not None:
        return value
    defaults = backend.options.get("defaults")
    return defaults.get(name) if defaults else None


class RunnableTask(Task):
    """A task of the framework as a worker runs it. Made for each job. `result` is what the task
    receives in its context."""

    def __init__(self, task: FrameworkTask[Any, Any]) -> None:
        self.task = task
        self.path = task.module_path
        self.fn: Callable[..., Any] = self._call
        self.queue = QueueName(task.queue_name)
        # Once for all: to look a backend up takes longer than all of this.
        self.backend = task.get_backend()
        said = self._said
        self.timeout = said("timeout")
        self.sigkill_on_stop = bool(said("sigkill_on_stop"))
        self.retries = said("retries") or 0
        backoff = said("retry_backoff")
        self.retry_backoff = 30 if backoff is None else backoff
        self.unique = said("unique")
        self.result: TaskResult[Any] | None = None
        self.gives_context = task.takes_context

    @property
    def function(self) -> Callable[..., Any]:
        return self.task.func

    @property
    def atomic(self) -> bool:
        atomic = self._said("atomic")
        return active.settings().atomic_jobs if atomic is None else bool(atomic)

    def _said(self, name: str) -> Any:
        return option(self.task, name, self.backend)

    def _call(self, *args: Any, **kwargs: Any) -> Any:
        """Return the function's coroutine where it is async: whoever runs jobs awaits it."""
        id = kwargs.pop(RESULT_KEYWORD, "")
        if not self.task.takes_context:
            return self.task.func(*args, **kwargs)
        if self.result is None:
            from dlq.django_tasks.records import running_result

            self.result = running_result(self.task, id, args, kwargs)
        return self.task.func(TaskContext(task_result=self.result), *args, **kwargs)


register_adapter(FrameworkTask, RunnableTask)


def _decorator_line() -> Source | None:
    """Return the user's line that declares the task; None where one is made from another, which
    `using` does at each call."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and _is_framework(frame.f_globals.get("__name__", "")):
        if frame.f_code.co_name in {"using", "_reconstruct"}:
            return None
        frame = frame.f_back
    if frame is None:
        return None
    return Source("task", file=frame.f_code.co_filename, line=frame.f_lineno, name="@task")


def _is_framework(module: str) -> bool:
    return module in {__name__, "dataclasses"} or module.startswith(f"{PACKAGE}.")
