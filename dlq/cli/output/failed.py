"""Failed jobs as people read them: a table, and everything about one. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from dlq.backends.base import FailedJob
from dlq.backends.delayed import DelayedJob
from dlq.cli.output.screen import Column
from dlq.cli.output.text import span
from dlq.execution.job_fit import Fit
from dlq.job import job_name
from dlq.operations.failed_groups import FailedGroup
from dlq.primitives.text import counted, printable

ARGUMENTS_LIMIT = 60
ERROR_LIMIT = 120
NOT_A_JOB = "(not a job)"


def failed_table(
    jobs: Sequence[FailedJob], now: float, *, one_queue: bool = False
) -> tuple[list[Column], list[list[str]]]:
    """The columns and rows; `one_queue` leaves its name out."""
    columns = [
        Column("ID"),
        Column("QUEUE"),
        Column("TASK", gives=1),
        Column("ARGS", gives=2),
        Column("FAILED"),
        Column("RAN"),
        Column("ERROR", gives=3),
    ]
    rows = [
        [
            job.id,
            job.queue,
            NOT_A_JOB if job.job is None else printable(job_name(job.job), 120),
            arguments_text(job),
            f"{span(now - job.failed_at)} ago",
            "-" if job.failure.ran is None else f"{job.failure.ran:.1f} s",
            printable(job.failure.reason, ERROR_LIMIT),
        ]
        for job in jobs
    ]
    if one_queue:
        del columns[1]
        for row in rows:
            del row[1]
    return columns, rows


def groups_table(groups: Sequence[FailedGroup], now: float) -> tuple[list[Column], list[list[str]]]:
    """The columns and rows of failed jobs by error."""
    columns = [
        Column("ERROR ID"),
        Column("JOBS"),
        Column("TASK", gives=1),
        Column("FIRST"),
        Column("LAST"),
        Column("ERROR", gives=2),
    ]
    rows = [
        [
            group.id,
            f"{group.jobs:,}",
            NOT_A_JOB if group.task is None else printable(group.task, 120),
            f"{span(now - group.first)} ago",
            f"{span(now - group.last)} ago",
            printable(group.error, ERROR_LIMIT),
        ]
        for group in groups
    ]
    return columns, rows


def failed_facts(job: FailedJob) -> list[tuple[str, str]]:
    """Everything about one job but its traceback, by name."""
    failure = job.failure
    facts = [
        ("id", job.id),
        ("queue", job.queue),
        ("task", NOT_A_JOB if job.job is None else job.job.path),
        ("args", arguments_text(job, 2000)),
        ("failed", f"{datetime.fromtimestamp(job.failed_at, UTC):%Y-%m-%d %H:%M:%S} UTC"),
        ("reason", f"{failure.reason} ({failure.kind})"),
        ("ran", "-" if failure.ran is None else f"{failure.ran:.3f} s"),
        ("attempts", str(failure.attempts)),
        ("worker", failure.worker or "-"),
    ]
    if job.job is None:
        facts.append(("raw", job.raw.decode("utf-8", "backslashreplace")))
        return facts
    if job.job.created_time_str:
        facts.insert(4, ("created", f"{job.job.created_time_str} UTC"))
    if (name := job_name(job.job)) != job.job.path:
        facts.insert(3, ("command", name))
    return facts


def fit_text(fit: Fit) -> str:
    """`fits`, or why the job would not run with today's code, and what was probably meant."""
    if fit.is_good:
        return "fits the code of today"
    return f"{fit.text}{f'; {fit.help}' if fit.help else ''}"


def arguments_text(job: FailedJob | DelayedJob, limit: int = ARGUMENTS_LIMIT) -> str:
    """The arguments as they are written in a call; a cron job's are those of its command."""
    if job.job is None:
        return printable(job.raw.decode("utf-8", "backslashreplace"), limit)
    is_cron = job_name(job.job) != job.job.path
    shown = [_value(value) for value in job.job.args[1 if is_cron else 0 :]]
    shown += [f"{name}={_value(value)}" for name, value in job.job.kwargs.items()]
    return printable(", ".join(shown), limit)


def none_text(queues: Sequence[str], task: str | None, others: int) -> str:
    """What to say where nothing is listed: what was asked for, and what there is besides."""
    where = f" in {', '.join(queues)}" if queues else ""
    if task is None or not others:
        return f"No failed jobs{where}."
    return (
        f"No failed job{where} is of task {task!r}; {counted(others, 'failed job')} of other tasks."
    )


def _value(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
