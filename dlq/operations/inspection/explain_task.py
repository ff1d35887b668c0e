"""One task: where it is declared, who runs it, what happens to its jobs, and a call of it."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Sequence
from typing import Any

from dlq.errors import UnknownTask, UnusableArgument, UsageError
from dlq.execution.find_task import find_task
from dlq.execution.job_fit import Fit, TaskFit
from dlq.job import decode, new_job
from dlq.jobs.arguments import check_arguments
from dlq.jobs.task import Task, retry_delay
from dlq.operations.inspection.explanation import (
    Explanation,
    Fact,
    backend_facts,
    guarantee,
    worker_facts,
)
from dlq.planning.plan import Plan
from dlq.primitives.text import printable
from dlq.project.load import Project

RETRIES_SHOWN = 8


def explain_task(path: str, plan: Plan, arguments: Sequence[str], project: Project) -> Explanation:
    """Explain a task, and a call of it where there are arguments. Raises UsageError."""
    try:
        task = find_task(path)
    except UnknownTask as error:
        raise UsageError(str(error)) from None
    queue = (
        next((q for q in plan.split.queues if q.name == task.queue), None) if plan.split else None
    )
    source = next((d.source for d in project.declarations if d.task == path), None)
    delays = [retry_delay(task, attempt) for attempt in range(task.retries)]
    signature = _signature(task)
    content: dict[str, Any] = {
        "task": path,
        "signature": signature,
        "source": None if source is None else source.location,
        "queue": task.queue,
        "machines": [
            {"machine": worker.machine, "number": worker.number}
            for worker in (plan.split.workers if plan.split else ())
            if worker.queue == task.queue
        ],
        "backend": None if queue is None else queue.backend,
        "guarantee": None if queue is None else guarantee(queue.backend),
        "timeout": task.timeout,
        "sigkill_on_stop": task.sigkill_on_stop,
        "retries": delays,
        "unique": task.unique,
        "atomic": task.atomic,
    }
    facts = [
        Fact("declared", "unknown" if source is None else source.label),
        Fact("queue", task.queue),
        *worker_facts(plan, task.queue),
        *(backend_facts(queue.backend) if queue is not None else ()),
        Fact("timeout", "none" if task.timeout is None else f"{task.timeout:g} s"),
        Fact("on a stop", "killed at once" if task.sigkill_on_stop else "waited for"),
        Fact("retries", _retries_text(delays)),
        Fact("unique", "no" if task.unique is None else f"for {task.unique:g} s"),
        Fact("atomic", "yes, in a database transaction" if task.atomic else "no"),
    ]
    if arguments:
        call_facts, call = _explain_call(task, arguments)
        facts += call_facts
        content["call"] = call
    return Explanation("task", f"task {path}{signature}", tuple(facts), content)


def read_arguments(words: Sequence[str]) -> tuple[list[Any], dict[str, Any]]:
    """Read the arguments of a call from a command line: NAME=VALUE is a keyword; a value that is
    JSON is taken as that, and any other as text. Raises UsageError."""
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if equals and name.isidentifier():
            if name in kwargs:
                raise UsageError(f"argument {name} is given twice")
            kwargs[name] = _value(value)
        elif kwargs:
            raise UsageError(f"{word!r} stands after {next(iter(kwargs))}=…: names come last")
        else:
            args.append(_value(word))
    return args, kwargs


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _explain_call(task: Task, words: Sequence[str]) -> tuple[Iterator[Fact], dict[str, Any]]:
    args, kwargs = read_arguments(words)
    try:
        check_arguments(task.path, args, kwargs)
        raw = new_job(task.path, args, kwargs, task.timeout, task.sigkill_on_stop).raw or b""
    except UnusableArgument as error:
        raise UsageError(str(error)) from None
    job = decode(raw)
    fit = TaskFit.of(task).check(job.args, job.kwargs)
    content = {
        "stored": raw.decode(),
        "args": list(job.args),
        "kwargs": dict(job.kwargs),
        "fits": fit.is_good,
        "kind": fit.kind,
        "text": fit.text,
        "help": fit.help,
    }
    return _call_facts(task, raw, job.args, job.kwargs, fit), content


def _call_facts(
    task: Task, raw: bytes, args: Sequence[Any], kwargs: Any, fit: Fit
) -> Iterator[Fact]:
    parts = [repr(value) for value in args]
    parts += [f"{name}={value!r}" for name, value in kwargs.items()]
    name = task.path.rpartition(".")[2]
    yield Fact("stored as", printable(raw.decode(), 2000))
    yield Fact("arrives as", printable(f"{name}({', '.join(parts)})", 2000))
    if fit.is_good:
        yield Fact("fits", "yes")
    else:
        yield Fact("fits", f"no: {fit.text}" + (f"; {fit.help}" if fit.help else ""))


def _signature(task: Task) -> str:
    try:
        signature = inspect.signature(task.function)
    except (TypeError, ValueError):
        return "(...)"
    parameters = list(signature.parameters.values())[1 if task.gives_context else 0 :]
    shown = signature.replace(parameters=parameters, return_annotation=inspect.Signature.empty)
    return printable(str(shown), 300)


def _retries_text(delays: Sequence[float]) -> str:
    if not delays:
        return "none: a job that raises is a failed job"
    shown = ", ".join(f"{delay:g}" for delay in delays[:RETRIES_SHOWN])
    more = ", …" if len(delays) > RETRIES_SHOWN else ""
    return f"{len(delays)}, after {shown}{more} s"
