"""A call of a task from the shell: the task by its name, its arguments as texts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple

from dlq.decorator import TaskWrapper
from dlq.errors import UsageError
from dlq.execution.find_task import find_task
from dlq.jobs.task import Task
from dlq.project.load import Project
from dlq.types import QueueName


class Enqueued(NamedTuple):
    """`id` is that of the result, where the task is one of Django's framework and has one."""

    path: str
    queue: QueueName
    is_stored: bool
    id: str | None = None


def enqueue(
    project: Project,
    name: str,
    words: Sequence[str],
    kwargs: str | None,
    delay: float,
    queue: str | None,
) -> Enqueued:
    """Enqueue a job. `name` is a path, or the last part of one that no other task has. Raises
    UsageError."""
    task = find_task(_path(project, name))
    args, named = [_argument(word) for word in words], _named(kwargs)
    try:
        if isinstance(task, TaskWrapper):
            call = task.using(delay=delay, queue=queue)
            return Enqueued(task.path, QueueName(queue or task.queue), call(*args, **named))
        return _enqueue_in_framework(task, args, named, delay, queue)
    except TypeError as error:
        raise UsageError(str(error)) from error


def _enqueue_in_framework(
    task: Task, args: list[Any], kwargs: dict[str, Any], delay: float, queue: str | None
) -> Enqueued:
    from datetime import timedelta

    from django.utils import timezone

    found: Any = getattr(task, "task")  # noqa: B009 (a task of the framework, which this layer does not import)
    if delay:
        found = found.using(run_after=timezone.now() + timedelta(seconds=delay))
    if queue is not None:
        found = found.using(queue_name=queue)
    result = found.enqueue(*args, **kwargs)
    return Enqueued(task.path, QueueName(found.queue_name), True, result.id)


def _path(project: Project, name: str) -> str:
    paths = sorted({each.task for each in project.declarations if each.task is not None})
    if name in paths:
        return name
    same = [path for path in paths if path.rpartition(".")[2] == name]
    if len(same) == 1:
        return same[0]
    if same:
        raise UsageError(f"{len(same)} tasks are called {name!r}: {', '.join(same)}")
    close = get_close_matches(name, [*paths, *(path.rpartition(".")[2] for path in paths)], 1)
    hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(paths) or 'none'}"
    raise UsageError(f"no task is called {name!r}: {hint}")


def _argument(word: str) -> Any:
    """Read an argument: JSON where it is, else the text itself."""
    try:
        return json.loads(word)
    except ValueError:
        return word


def _named(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        found = json.loads(text)
    except ValueError as error:
        raise UsageError(f"--kwargs {text!r} is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise UsageError(f"--kwargs {text!r} is no JSON object: write '{{\"name\": value}}'")
    return found
