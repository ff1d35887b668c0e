"""What became of cron rows: when each was last due, enqueued, started and ended, and how. Pure.

Rows that would run the same command with the same arguments share a record, because their jobs do.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from dlq.primitives.json_values import json_compatible

if TYPE_CHECKING:
    from dlq.cron.rows.row import CronRow

ENQUEUED = "enqueued"
RAN = "ran"
"""The two parts of a record: the scheduler writes the one, the worker the other."""

OK, FAILED = "ok", "failed"

ERROR_LIMIT = 200


class CronRecord(NamedTuple):
    """Times are Unix times in seconds, or None where that has not been seen. `outcome` is "ok",
    "failed", or "" while it runs (or where its worker died); `error` is one line."""

    due: float | None = None
    enqueued: float | None = None
    started: float | None = None
    ended: float | None = None
    outcome: str = ""
    error: str = ""
    last_success: float | None = None

    @property
    def late(self) -> float | None:
        """Seconds between the row's minute and its enqueueing."""
        if self.due is None or self.enqueued is None:
            return None
        return max(0.0, self.enqueued - self.due)


def record_id(command: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """Return the name of a record: equal for equal commands with equal arguments."""
    call = [command, json_compatible(args), json_compatible(kwargs)]
    text = json.dumps(call, sort_keys=True, default=str)
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()[:16]


def record_id_of(row: CronRow) -> str:
    """Return the name of the record of a row."""
    return record_id(row.command, row.command_args, row.command_kwargs)


def enqueued_part(due: datetime, enqueued: datetime) -> str:
    """Return what the scheduler stores."""
    return json.dumps({"due": due.timestamp(), "enqueued": enqueued.timestamp()})


def ran_part(
    started: float, ended: float | None, outcome: str, error: str, last_success: float | None
) -> str:
    """Return what the worker stores, at the start and at the end of a run."""
    return json.dumps(
        {
            "started": started,
            "ended": ended,
            "outcome": outcome,
            "error": error[:ERROR_LIMIT],
            "last_success": last_success,
        }
    )


def read_records(fields: Mapping[str, str]) -> dict[str, CronRecord]:
    """Return the records by name, from the fields of the stored hash. What cannot be read counts as
    not seen: any user of the server can write there."""
    records: dict[str, CronRecord] = {}
    for field, text in fields.items():
        id, _, part = field.partition(":")
        parsed = _parsed(text)
        if part in (ENQUEUED, RAN):
            records[id] = records.get(id, CronRecord())._replace(**parsed)
    return records


def _parsed(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
        times = ("due", "enqueued", "started", "ended", "last_success")
        found: dict[str, Any] = {
            name: None if content[name] is None else float(content[name])
            for name in times
            if name in content
        }
        return found | {
            name: str(content[name])[:ERROR_LIMIT]
            for name in ("outcome", "error")
            if name in content
        }
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
        return {}


def missed_since(
    row: CronRow, record: CronRecord | None, timezone: str, now: datetime, grace: float
) -> datetime | None:
    """Return the first run that should have been enqueued after the last one and was not, where
    that is more than `grace` seconds ago. A row that has no record yet has missed nothing."""
    if record is None or record.due is None:
        return None
    # Not at the top: a web process imports this module, and need not pay for cronsim.
    from dlq.cron.rows.schedule import runs

    last = datetime.fromtimestamp(record.due, UTC)
    due = next(iter(runs(row, last, timezone)), None)
    return due if due is not None and (now - due).total_seconds() > grace else None
