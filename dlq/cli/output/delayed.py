"""Delayed jobs as people read them. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from dlq.backends.delayed import DelayedJob
from dlq.cli.output.failed import NOT_A_JOB, arguments_text
from dlq.cli.output.screen import Column
from dlq.cli.output.text import span
from dlq.job import job_name
from dlq.primitives.text import printable


def delayed_table(jobs: Sequence[DelayedJob], now: float) -> tuple[list[Column], list[list[str]]]:
    """Return the columns and rows, the next one first."""
    columns = [
        Column("ID"),
        Column("QUEUE"),
        Column("TASK", gives=1),
        Column("ARGS", gives=2),
        Column("DUE"),
    ]
    rows = [
        [
            each.id,
            each.queue,
            NOT_A_JOB if each.job is None else printable(job_name(each.job), 120),
            arguments_text(each),
            f"in {span(each.due - now)}" if each.due > now else "now",
        ]
        for each in jobs
    ]
    return columns, rows
