"""What became of cron rows: stored by a real scheduler and a real worker, and judged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dlq.cron.history import CronRecord, missed_since, read_records, record_id_of
from dlq.cron.rows.row import parse_row
from dlq.operations.cron_status import CronStatus, judge_cron
from dlq.runtime import Runtime
from dlq.scheduler.scheduler import Scheduler
from tests.cron.scheduling import settings_for
from tests.cron.test_scheduler import HOURLY, LOGGER, MINUTELY, NOON
from tests.kit.valkey import Server


def test_the_scheduler_stores_when_a_row_was_due_and_enqueued(server: Server) -> None:
    runtime = Runtime(settings_for(server))
    scheduler = Scheduler(
        [HOURLY, MINUTELY], runtime.settings, runtime.backend, LOGGER, started=NOON
    )
    later = NOON + timedelta(minutes=1, seconds=4)
    scheduler.round(NOON)
    scheduler.round(later)
    backend = runtime.backend(MINUTELY.queue)
    records = read_records(backend.cron_records())  # type: ignore[attr-defined]  # it has runners
    assert set(records) == {record_id_of(MINUTELY)}
    record = records[record_id_of(MINUTELY)]
    assert record.due == (NOON + timedelta(minutes=1)).replace(second=0).timestamp()
    assert record.late == 5
    runtime.reset_connections()


def test_a_row_is_missed_when_its_next_run_is_long_due() -> None:
    due = datetime(2026, 11, 24, 12, tzinfo=UTC)
    record = CronRecord(due=due.timestamp(), enqueued=due.timestamp())
    early, late = due + timedelta(minutes=61), due + timedelta(minutes=63)
    assert missed_since(HOURLY, record, "UTC", early, 120) is None
    assert missed_since(HOURLY, record, "UTC", late, 120) == due + timedelta(hours=1)
    assert missed_since(HOURLY, None, "UTC", late, 120) is None


def test_w530_and_w531() -> None:
    missed = CronStatus(HOURLY, CronRecord(), NOON)
    failed = CronStatus(MINUTELY, CronRecord(outcome="failed", error="ValueError: no"))
    first, second = judge_cron([missed, failed])
    assert (first.id, second.id) == ("dlq.W530", "dlq.W531")
    assert "hourly was due at 2026-11-24 12:00 UTC" in first.message
    assert "minutely failed: ValueError: no" in second.message


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"due": "x"}', '{"due": 1e999, "enqueued": {}}', "[" * 10_000]
)
def test_what_cannot_be_read_was_not_seen(text: str) -> None:
    assert read_records({"id:enqueued": text, "odd": text}) in ({}, {"id": CronRecord()})


def test_rows_with_the_same_command_and_arguments_share_a_record() -> None:
    one = parse_row({"command": "sync", "minutes": "0", "hours": "*", "command_args": ["a"]})
    other = parse_row({"command": "sync", "minutes": "5", "hours": "*", "command_args": ["a"]})
    third = parse_row({"command": "sync", "minutes": "5", "hours": "*", "command_args": ["b"]})
    assert record_id_of(one) == record_id_of(other) != record_id_of(third)
