"""What became of cron rows, as the servers know it, and what is wrong with that."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from dlq import runtime
from dlq.backends.base import BackendWithRunners
from dlq.cron.history import FAILED, CronRecord, missed_since, read_records, record_id_of
from dlq.diagnostics.finding import Finding
from dlq.diagnostics.formats import iso_utc
from dlq.diagnostics.rules import backends as rules

if TYPE_CHECKING:
    from dlq.cron.rows.row import CronRow

GRACE = 120.0
"""Seconds after which a run that was not enqueued counts as missed: a scheduler that is replaced
catches up within that."""


class CronStatus(NamedTuple):
    """One row with what became of it. `missed` is the first run that should have been enqueued and
    was not."""

    row: CronRow
    record: CronRecord | None
    missed: datetime | None = None


def read_cron(rows: Sequence[CronRow], timezone: str, now: float) -> list[CronStatus]:
    """Ask the server of each row's queue. Raises BackendUnavailable."""
    current = runtime.current()
    records: dict[BackendWithRunners, dict[str, CronRecord]] = {}
    statuses = []
    at = datetime.fromtimestamp(now, UTC)
    for row in rows:
        backend = current.backend(row.queue)
        record = None
        if isinstance(backend, BackendWithRunners):
            if backend not in records:
                records[backend] = read_records(backend.cron_records())
            record = records[backend].get(record_id_of(row))
        zone = row.timezone or timezone
        statuses.append(CronStatus(row, record, missed_since(row, record, zone, at, GRACE)))
    return statuses


def judge_cron(statuses: Iterable[CronStatus]) -> Iterable[Finding]:
    """Report rows that were missed, and rows whose last run failed. Pure."""
    for row, record, missed in statuses:
        if missed is not None:
            yield rules.W530.finding(
                f"cron row {row.command} was due at {missed:%Y-%m-%d %H:%M} UTC and was not"
                " enqueued",
                row.source,
                "look for the machine that schedules cron: dlq status shows it with CRON yes",
            )
        if record is not None and record.outcome == FAILED:
            yield rules.W531.finding(
                f"the last run of cron row {row.command} failed: {record.error}",
                row.source,
                f"dlq failed list --task {row.command}",
            )


def cron_document(status: CronStatus) -> dict[str, Any]:
    """Describe a row and what became of it for machines. Times are ISO 8601 in UTC, or null."""
    row, record = status.row, status.record or CronRecord()
    return {
        "command": row.command,
        "queue": row.queue,
        "schedule": row.expression,
        "source": row.source.location,
        "due": _iso(record.due),
        "enqueued": _iso(record.enqueued),
        "late": record.late,
        "started": _iso(record.started),
        "ended": _iso(record.ended),
        "outcome": record.outcome or None,
        "error": record.error or None,
        "last_success": _iso(record.last_success),
        "missed": None if status.missed is None else iso_utc(status.missed.timestamp()),
    }


def _iso(at: float | None) -> str | None:
    return None if at is None else iso_utc(at)
