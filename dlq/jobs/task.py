"""A declared task, as everything below the decorator sees it: what a job's path leads to.

The decorator makes tasks, and so does the room for Django's own tasks framework. Whoever runs a
job asks `as_task`, and needs to know neither of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dlq.types import QueueName

RESULT_KEYWORD = "django_lightweight_queue_task"
"""The keyword argument in which the id of a result is stored with a job."""

MAX_RETRIES = 1000
MAX_DELAY = 366 * 86_400
"""Seconds: the longest time for which a job is put off, by a delay or between two attempts."""


class Task:
    """`path` is the dotted name that jobs carry; `fn` runs in the worker. `timeout`,
    `retry_backoff` and `unique` are in seconds, None where there is no limit or no lock."""

    path: str
    fn: Callable[..., Any]
    queue: QueueName
    timeout: float | None
    sigkill_on_stop: bool
    retries: int
    retry_backoff: float
    unique: float | None

    gives_context = False
    """Whether the worker adds a first argument to those of the job."""

    @property
    def function(self) -> Callable[..., Any]:
        """The user's function, whose parameters a call must fit; `fn` may be a wrapper of it."""
        return self.fn

    @property
    def atomic(self) -> bool:
        """Whether the job runs in a database transaction."""
        raise NotImplementedError


def retry_delay(task: Task, attempts: int) -> float:
    """Return the seconds until the next attempt, after that many failed ones before this one:
    doubled each time, and never longer than MAX_DELAY."""
    return float(min(task.retry_backoff * 2.0 ** min(attempts, 64), MAX_DELAY))


_adapters: dict[type, Callable[[Any], Task]] = {}


def register_adapter(kind: type, adapt: Callable[[Any], Task]) -> None:
    """Let objects of another framework's class be run as tasks."""
    _adapters[kind] = adapt


def as_task(found: object) -> Task | None:
    """Return what `found` is as a task, or None where nothing declared it as one."""
    if isinstance(found, Task):
        return found
    for kind, adapt in _adapters.items():
        if isinstance(found, kind):
            return adapt(found)
    return None
