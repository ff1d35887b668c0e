"""Cron rows for people: when they fire next, what a schedule means, and a run right now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from itertools import islice
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dlq import runtime
from dlq.cron.rows.fields import FieldViolation, checked_schedule
from dlq.cron.rows.row import CronRow
from dlq.cron.rows.schedule import in_words, upcoming
from dlq.errors import UsageError
from dlq.scheduler.scheduler import job_of
from dlq.types import QueueName

MOST_RUNS = 1000
"""A preview longer than that is a typing error."""


class Preview(NamedTuple):
    """When a row fires next. `runs` are aware, in the wall-clock time of `timezone`, and empty for
    a row that never fires; `words` says the schedule in English."""

    row: CronRow
    timezone: str
    runs: tuple[datetime, ...]
    words: str


class Explanation(NamedTuple):
    """A schedule in words, with its next runs as in Preview."""

    expression: str
    timezone: str
    words: str
    runs: tuple[datetime, ...]


class Enqueued(NamedTuple):
    """A row that was enqueued out of turn."""

    row: CronRow
    queue: QueueName


def next_runs(
    rows: Iterable[CronRow],
    cron_timezone: str,
    now: datetime,
    *,
    count: int = 1,
    at: str | None = None,
    timezone: str | None = None,
) -> list[Preview]:
    """The next `count` runs of each row after `now`, or after the time `at`; the row that fires
    first comes first. `timezone` shows all of them in one zone, instead of each in its own. Raises
    UsageError."""
    start = _start(now, count, at, timezone or cron_timezone)
    found = []
    for row in rows:
        own = row.timezone or cron_timezone
        zone = timezone or own
        found.append(
            Preview(
                row,
                zone,
                _in_zone(islice(upcoming(row.expression, start, own), count), zone),
                in_words(row.expression),
            )
        )
    return sorted(found, key=lambda preview: (not preview.runs, *preview.runs[:1]))


def explain(
    expression: str,
    cron_timezone: str,
    now: datetime,
    *,
    count: int = 3,
    at: str | None = None,
    timezone: str | None = None,
) -> Explanation:
    """What cron text means. Raises UsageError with the part that is wrong."""
    zone = timezone or cron_timezone
    start = _start(now, count, at, zone)
    try:
        checked = checked_schedule(expression)
    except FieldViolation as problem:
        help = f": {problem.help}" if problem.help else ""
        raise UsageError(f"schedule {expression!r}: {problem}{help}") from None
    runs = _in_zone(islice(upcoming(checked, start, zone), count), zone)
    return Explanation(checked, zone, in_words(checked), runs)


def run_now(rows: Sequence[CronRow], command: str, *, row: int | None = None) -> Enqueued:
    """Enqueue the row of this command, whenever it is due. Where several rows name the command,
    `row` (from 1) says which. Raises UsageError, and EnqueueError where the server did not take
    it."""
    chosen = select_row(rows, command, row)
    runtime.current().backend(chosen.queue).enqueue(job_of(chosen), chosen.queue)
    return Enqueued(chosen, chosen.queue)


def select_row(rows: Sequence[CronRow], command: str, number: int | None = None) -> CronRow:
    """Raises UsageError for a command that no row names, and where it is not clear which is
    meant."""
    found = [row for row in rows if row.command == command]
    if not found:
        known = sorted({row.command for row in rows})
        close = get_close_matches(command, known, 1)
        if close:
            raise UsageError(f"no cron row runs {command!r}: did you mean {close[0]!r}?")
        there_are = f"there are {', '.join(known)}" if known else "there are no cron rows"
        raise UsageError(f"no cron row runs {command!r}: {there_are}")
    if number is not None:
        if not 1 <= number <= len(found):
            raise UsageError(f"--row is {number}, and {command} has rows 1 to {len(found)}")
        return found[number - 1]
    if len({_job_key(row) for row in found}) > 1:
        places = ", ".join(f"{place}: {row.source.label}" for place, row in enumerate(found, 1))
        raise UsageError(f"{len(found)} rows run {command!r}, say which with --row ({places})")
    return found[0]


def _job_key(row: CronRow) -> str:
    """Equal for rows that enqueue the same job on the same queue: it doesn't matter which."""
    return f"{row.queue} {job_of(row).identity_without_created()}"


def _start(now: datetime, count: int, at: str | None, zone: str) -> datetime:
    if not 1 <= count <= MOST_RUNS:
        raise UsageError(f"--count is {count}, and must be 1 to {MOST_RUNS}")
    try:
        info = ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise UsageError(
            f"there is no time zone {zone!r}: use a name such as Europe/London, or UTC"
        ) from None
    if at is None:
        return now
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise UsageError(
            f"--at {at!r} is no time: write it as 2026-03-29T02:30, with +01:00 or Z for another"
            f" zone than {zone}"
        ) from None
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=info)).astimezone(UTC)


def _in_zone(runs: Iterable[datetime], zone: str) -> tuple[datetime, ...]:
    info = ZoneInfo(zone)
    return tuple(run.astimezone(info) for run in runs)
