"""The cron rows of a project, and what a plan asks of them: values, and pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, NamedTuple

from dlq.diagnostics.finding import Finding
from dlq.diagnostics.rules import cron as rules
from dlq.types import QueueName, Source

if TYPE_CHECKING:
    from dlq.cron.rows.row import CronRow


class CronFile(NamedTuple):
    """A cron.py that was looked at. `row_count` counts its rows, wrong ones included."""

    path: str
    module: str
    row_count: int


class CronConfiguration(NamedTuple):
    """`rows` are the valid ones, in the order of the apps and their CONFIG."""

    rows: tuple[CronRow, ...] = ()
    findings: tuple[Finding, ...] = ()
    files: tuple[CronFile, ...] = ()

    @property
    def row_count(self) -> int:
        """How many rows were looked at."""
        return sum(file.row_count for file in self.files)


def check_queues(rows: Iterable[CronRow], served: Collection[str]) -> list[Finding]:
    """Rows whose jobs no worker would take. `served`: the queues with workers on some machine of
    the plan."""
    return [
        rules.W216.finding(
            f"no worker takes from queue {row.queue!r}, where {row.command} is enqueued",
            row.source,
            f"give {row.queue!r} a worker in LIGHTWEIGHT_QUEUE_WORKERS",
        )
        for row in rows
        if row.queue not in served
    ]


def implied_queues(rows: Iterable[CronRow]) -> dict[QueueName, Source]:
    """The queues that rows name, and the first row that does."""
    queues: dict[QueueName, Source] = {}
    for row in rows:
        queues.setdefault(row.queue, row.source)
    return queues
