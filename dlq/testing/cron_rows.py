"""Cron rows in tests: run one now, or ask when it is due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from dlq import runtime
from dlq.cron.rows.row import CronRow
from dlq.cron.rows.schedule import due
from dlq.primitives.text import counted
from dlq.scheduler.scheduler import job_of
from dlq.testing.captured import JobFailed
from dlq.types import WorkerNumber


def run_cron(command: str) -> None:
    """Run the rows with this command, as a worker would when they are due: with the row's
    arguments, transaction and middleware. Raises what the command raises."""
    current = runtime.current()
    for row in _rows(command):
        result = current.run(job_of(row), row.queue, WorkerNumber(0))
        if result.failure is not None:
            raise result.exception or JobFailed(result.failure.reason)


def assert_cron_due(command: str, moment: datetime, **arguments: Any) -> None:
    """Assert that a row with this command is due in the minute of `moment`, which is aware.
    `arguments`: of a row that has just these `command_kwargs`."""
    if moment.utcoffset() is None:
        raise ValueError(f"{moment!r} has no time zone: use django.utils.timezone.make_aware()")
    rows = [row for row in _rows(command) if not arguments or row.command_kwargs == arguments]
    minute = moment.astimezone(UTC).replace(second=0, microsecond=0)
    timezone = runtime.current().settings.cron_timezone
    if due(rows, minute - timedelta(microseconds=1), minute, timezone):
        return
    later = due(rows, minute, minute + timedelta(days=366), timezone)[:3]
    following = ", ".join(f"{run.at:%Y-%m-%d %H:%M} UTC" for run in later) or "never"
    raise AssertionError(f"{command} is not due at {moment.isoformat()}, but next: {following}")


def _rows(command: str) -> list[CronRow]:
    rows = runtime.current().cron_rows()
    found = [row for row in rows if row.command == command]
    if not found:
        names = ", ".join(sorted({row.command for row in rows})) or "none"
        raise AssertionError(
            f"no cron.py has a row with the command {command!r}:"
            f" {counted(len(rows), 'row')}, {names}"
        )
    return found
