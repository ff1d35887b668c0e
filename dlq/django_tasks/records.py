"""Results of tasks as the server keeps them, and as the framework shows them.

A record is a flat mapping of texts: `status`; `call`, the JSON of what was called; moments as Unix
time (`enqueued`, `started`, `attempted`, `finished`); `attempts`; `worker:N` and `error:N` for the
N-th attempt; `value`, the JSON of what the task returned.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.utils.module_loading import import_string

from dlq.django_tasks.framework import (
    FrameworkTask,
    TaskError,
    TaskResult,
    TaskResultDoesNotExist,
    TaskResultStatus,
)


def ready_result(
    task: FrameworkTask[Any, Any], id: str, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> TaskResult[Any]:
    """The result of a call that is about to be enqueued. Raises TypeError and ValueError for
    arguments that JSON cannot carry."""
    return TaskResult(
        task=task,
        id=id,
        status=TaskResultStatus.READY,
        enqueued_at=None,
        started_at=None,
        finished_at=None,
        last_attempted_at=None,
        args=list(args),
        kwargs=dict(kwargs),
        backend=task.backend,
        errors=[],
        worker_ids=[],
    )


def running_result(
    task: FrameworkTask[Any, Any],
    id: str,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    worker: str = "",
    moment: float | None = None,
) -> TaskResult[Any]:
    """The result of a call that has just been started, where its record is not read."""
    result = ready_result(task, id, args, kwargs)
    now = datetime.now(UTC) if moment is None else _datetime(moment)
    change(
        result,
        status=TaskResultStatus.RUNNING,
        started_at=now,
        last_attempted_at=now,
        worker_ids=[worker],
    )
    return result


def change(result: TaskResult[Any], **values: Any) -> None:
    """Change a result in place, as the framework's own backends do."""
    for name, value in values.items():
        object.__setattr__(result, name, value)


def first_record(result: TaskResult[Any], enqueued: float) -> dict[str, str]:
    task = result.task
    call = {
        "path": task.module_path,
        "args": result.args,
        "kwargs": result.kwargs,
        "backend": result.backend,
        "queue_name": task.queue_name,
        "priority": task.priority,
        "run_after": None if task.run_after is None else task.run_after.isoformat(),
    }
    return {
        "status": TaskResultStatus.READY.value,
        "call": json.dumps(call),
        "enqueued": repr(enqueued),
    }


def result_of(id: str, record: Mapping[str, str]) -> TaskResult[Any]:
    """Read a record. Raises TaskResultDoesNotExist where its task is no longer there."""
    call = json.loads(record["call"])
    task = _task_of(id, call)
    attempts = int(record.get("attempts", 0))
    numbers = range(attempts + 1)
    errors = [json.loads(record[f"error:{n}"]) for n in numbers if f"error:{n}" in record]
    result: TaskResult[Any] = TaskResult(
        task=task,
        id=id,
        status=TaskResultStatus(record["status"]),
        enqueued_at=_moment(record, "enqueued"),
        started_at=_moment(record, "started"),
        finished_at=_moment(record, "finished"),
        last_attempted_at=_moment(record, "attempted"),
        args=call["args"],
        kwargs=call["kwargs"],
        backend=call["backend"],
        errors=[TaskError(exception_class_path=name, traceback=text) for name, text in errors],
        worker_ids=[record[f"worker:{n}"] for n in numbers if f"worker:{n}" in record],
    )
    if "value" in record:
        change(result, _return_value=json.loads(record["value"]))
    return result


def error_text(exception: BaseException | type[BaseException], traceback: str) -> str:
    """Write an error as a record has it."""
    kind = exception if isinstance(exception, type) else type(exception)
    return json.dumps([f"{kind.__module__}.{kind.__qualname__}", traceback])


def _task_of(id: str, call: Mapping[str, Any]) -> FrameworkTask[Any, Any]:
    try:
        task = import_string(call["path"])
    except ImportError as error:
        raise TaskResultDoesNotExist(f"{id}: its task {call['path']} is gone: {error}") from error
    changes = {
        "backend": call["backend"],
        "queue_name": call["queue_name"],
        "priority": call["priority"],
    }
    same = all(getattr(task, name) == value for name, value in changes.items())
    run_after = call["run_after"] and datetime.fromisoformat(call["run_after"])
    if same and run_after is None:
        found: FrameworkTask[Any, Any] = task
        return found
    made: FrameworkTask[Any, Any] = task.using(**changes, run_after=run_after)
    return made


def _moment(record: Mapping[str, str], name: str) -> datetime | None:
    return _datetime(float(record[name])) if name in record else None


def _datetime(moment: float) -> datetime:
    return datetime.fromtimestamp(moment, UTC)
