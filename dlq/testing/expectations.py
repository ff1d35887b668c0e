"""What an assertion expects: calls of a task, compared as the function itself would bind them."""

from __future__ import annotations

import difflib
import inspect
import json
from collections.abc import Mapping, Sequence
from typing import Any

from dlq.jobs.task import Task, as_task

SHOWN = 10
"""Jobs that a failed assertion prints."""


def path_of(task: Any) -> str:
    return _task(task).path


def bound(task: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments by name, with defaults, as JSON brings them to a worker. Raises
    TypeError for a call that the function does not accept."""
    found = inspect.signature(_function(task)).bind(*_json(list(args)), **_json(dict(kwargs)))
    found.apply_defaults()
    return dict(found.arguments)


def describe(
    path: str,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    queue: str | None = None,
    delay: float | None = None,
) -> str:
    """Write a call as one would make it: `shop.tasks.confirm(81) on queue emails`."""
    words = [repr(each) for each in args] + [f"{name}={each!r}" for name, each in kwargs.items()]
    text = f"{path}({', '.join(words)})"
    if queue is not None:
        text += f" on queue {queue}"
    if delay is not None:
        text += f" in {delay:.0f} s"
    return text


def nearest(wanted: str, texts: Sequence[str]) -> list[str]:
    """Return the texts that are most like `wanted` first, at most SHOWN of them."""

    def likeness(text: str) -> float:
        return difflib.SequenceMatcher(None, wanted, text).ratio()

    found = sorted(texts, key=likeness, reverse=True)
    more = len(found) - SHOWN
    return [*found[:SHOWN], *([f"… and {more} more"] if more > 0 else [])]


def _task(task: Any) -> Task:
    found = as_task(task)
    if found is None:
        raise TypeError(f"{task!r} is not a task: give what @task made")
    return found


def _function(task: Any) -> Any:
    """The function that arguments are bound to; a task of Django's framework may take a context
    first, which no caller gives."""
    framework_task = getattr(_task(task), "task", None)
    if framework_task is None:
        return _task(task).fn
    if not framework_task.takes_context:
        return framework_task.func
    signature = inspect.signature(framework_task.func)
    parameters = list(signature.parameters.values())[1:]

    def without_context(*args: Any, **kwargs: Any) -> None: ...

    without_context.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return without_context


def _json(value: Any) -> Any:
    return json.loads(json.dumps(value))
