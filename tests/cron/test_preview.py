"""`cron next`, `cron explain` and which row `cron run` means."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from dlq.cron.rows.row import CronRow, parse_row
from dlq.errors import UsageError
from dlq.operations.cron import explain, next_runs, select_row
from dlq.types import Source

NOW = datetime(2026, 11, 24, 8, 2, 30, tzinfo=UTC)


def row(command: str, schedule: str, line: int = 1, **more: Any) -> CronRow:
    raw = {"command": command, "schedule": schedule, **more}
    return parse_row(raw, source=Source("cron", "orders/cron.py", line))


def test_the_row_that_fires_first_comes_first_and_one_that_never_does_comes_last() -> None:
    rows = [
        row("never", "0 0 31 2 *"),
        row("nightly_report", "15 3 * * 1-5"),
        row("sync_stock", "* * * * *"),
        row("expire_baskets", "0,30 * * * *"),
    ]
    found = next_runs(rows, "UTC", NOW)
    assert [(preview.row.command, preview.words) for preview in found] == [
        ("sync_stock", "Every minute"),
        ("expire_baskets", "At minutes 0 and 30 of every hour"),
        ("nightly_report", "At 03:15 on Monday through Friday"),
        ("never", "Never: no month has such a day"),
    ]
    assert [[f"{run:%a %d %b %H:%M}" for run in preview.runs] for preview in found] == [
        ["Tue 24 Nov 08:03"],
        ["Tue 24 Nov 08:30"],
        ["Wed 25 Nov 03:15"],
        [],
    ]


def test_runs_are_shown_in_the_row_s_zone_or_in_the_one_that_is_asked_for() -> None:
    rows = [row("check", "0 9 * * *", timezone="Europe/Berlin")]
    own = next_runs(rows, "UTC", NOW, count=2)[0]
    assert [run.isoformat() for run in own.runs] == [
        "2026-11-25T09:00:00+01:00",
        "2026-11-26T09:00:00+01:00",
    ]
    asked = next_runs(rows, "UTC", NOW, timezone="America/New_York")[0]
    assert [run.isoformat() for run in asked.runs] == ["2026-11-25T03:00:00-05:00"]


@pytest.mark.parametrize(
    ("at", "first"),
    [
        ("2026-12-31T23:59", "2027-01-01T09:00:00+01:00"),
        ("2026-12-31T07:59Z", "2026-12-31T09:00:00+01:00"),
        ("2026-12-31 08:00:00+00:00", "2027-01-01T09:00:00+01:00"),
    ],
)
def test_a_preview_can_start_at_any_time(at: str, first: str) -> None:
    found = explain("0 9 * * *", "Europe/Berlin", NOW, at=at, count=1)
    assert found.runs[0].isoformat() == first


def test_explain_says_what_a_schedule_means() -> None:
    found = explain(" 0 9  * * mon-fri ", "UTC", NOW)
    assert found.expression == "0 9 * * MON-FRI"
    assert found.words == "At 09:00 on Monday through Friday"
    assert [run.day for run in found.runs] == [24, 25, 26]


@pytest.mark.parametrize(
    ("expression", "more", "message"),
    [
        ("0 25 * * *", {}, "in the hour field, '25' is not an hour"),
        ("@reboot", {}, "the names are @yearly, "),
        ("daily", {}, "'minute hour day-of-month month weekday'"),
        ("* * * * *", {"at": "tomorrow"}, "--at 'tomorrow' is no time"),
        ("* * * * *", {"timezone": "CEST+1"}, "no time zone 'CEST\\+1'"),
        ("* * * * *", {"count": 0}, "--count is 0"),
        ("* * * * *", {"count": 10**9}, "--count is"),
    ],
)
def test_what_cannot_be_explained_is_told(
    expression: str, more: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        explain(expression, "UTC", NOW, **more)


def test_a_command_without_a_row_is_refused_with_what_was_meant() -> None:
    rows = [row("sync_stock", "* * * * *")]
    assert select_row(rows, "sync_stock") is rows[0]
    with pytest.raises(UsageError, match="did you mean 'sync_stock'"):
        select_row(rows, "sync_stok")
    with pytest.raises(UsageError, match="there are sync_stock"):
        select_row(rows, "x")
    with pytest.raises(UsageError, match="there are no cron rows"):
        select_row([], "x")


def test_rows_that_enqueue_the_same_job_need_no_choice_and_others_do() -> None:
    same = [row("check", "0 1 * * *"), row("check", "0 2 * * *")]
    assert select_row(same, "check") is same[0]
    rows = [*same, row("check", "0 3 * * *", 7, command_args=["x"])]
    with pytest.raises(UsageError, match=r"--row .*3: orders/cron\.py:7"):
        select_row(rows, "check")
    assert select_row(rows, "check", 3) is rows[2]
    with pytest.raises(UsageError, match="rows 1 to 3"):
        select_row(rows, "check", 4)
