"""`dlq cron simulate`: the project's cron rows over a range of time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dlq.cron.rows.row import CronRow
from dlq.diagnostics.formats import iso_utc
from dlq.errors import UsageError
from dlq.planning.cron_simulation import Simulation, simulate
from dlq.planning.plan import queues_of
from dlq.project.load import Project, require_settings

LONGEST = timedelta(days=366)


def simulate_project(
    project: Project,
    now: datetime,
    length: timedelta,
    start: str | None,
    *,
    use_records: bool = False,
) -> Simulation:
    """Simulate the rows of a project from `start` (ISO 8601; by default `now`), rounded down to
    the hour. `use_records`: ask the servers how long each row took last. Raises UsageError, and
    with `use_records` BackendUnavailable."""
    settings = require_settings(project)
    assert project.resolution is not None
    if not timedelta() < length <= LONGEST:
        raise UsageError(f"--for is {length}: it must be more than 0 and at most {LONGEST.days}d")
    workers = {
        queue.name: queue.workers for queue in queues_of(project, project.resolution, settings)
    }
    durations = _recorded_durations(project.cron.rows) if use_records else {}
    first = _moment(start, settings.cron_timezone) if start else now
    first = first.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return simulate(project.cron.rows, workers, first, length, settings.cron_timezone, durations)


def _recorded_durations(rows: Sequence[CronRow]) -> dict[str, float]:
    """Return the seconds of each row's last run, by the row's identity."""
    from dlq.operations.cron_status import read_cron

    return {
        row.identity: min(record.ended - record.started, LONGEST.total_seconds())
        for row, record, _ in read_cron(rows, "UTC", 0.0)
        if record is not None and record.started is not None and record.ended is not None
        if record.ended >= record.started
    }


def _moment(text: str, timezone: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"--from {text!r} is no time: write it as 2026-03-29 or 2026-03-29T02:30, with +01:00"
            f" or Z for another zone than {timezone}"
        ) from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=ZoneInfo(timezone))


def simulation_json(simulation: Simulation) -> dict[str, Any]:
    """The simulation as machines read it."""
    return {
        "start": iso_utc(simulation.start),
        "end": iso_utc(simulation.end),
        "rows": simulation.rows,
        "runs": simulation.runs,
        "queues": [
            {
                "queue": load.queue,
                "workers": load.workers,
                "runs": load.runs,
                "hours": list(load.hours),
                "minutes_piled_up": simulation.piled.get(load.queue, 0),
            }
            for load in simulation.loads
        ],
        "pile_ups": [
            {
                "queue": pile.queue,
                "at": iso_utc(pile.at),
                "due": pile.due,
                "workers": pile.workers,
                "rows": [_row_json(row) for row in pile.rows],
            }
            for pile in simulation.pile_ups
        ],
        "overlaps": [
            {
                **_row_json(overlap.row),
                "seconds": overlap.seconds,
                "basis": overlap.basis,
                "runs": overlap.runs,
                "of": overlap.of,
            }
            for overlap in simulation.overlaps
        ],
        "clock_changes": [
            {
                "timezone": report.change.timezone,
                "at": iso_utc(report.change.at),
                "minutes": report.change.length // timedelta(minutes=1),
                "rows": [
                    {**_row_json(touched.row), "effect": touched.effect, "times": touched.times}
                    for touched in report.rows
                ],
                "others": report.others,
            }
            for report in simulation.changes
        ],
    }


def _row_json(row: CronRow) -> dict[str, str]:
    return {"command": row.command, "schedule": row.expression, "source": row.source.location}
