"""Sets of minutes say the same as the runs of a schedule, one by one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import takewhile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlq.cron.rows.schedule import upcoming
from dlq.cron.rows.timeline import Timeline

MINUTE = timedelta(minutes=1)


def expected(expression: str, start: datetime, minutes: int, timezone: str) -> list[datetime]:
    end = start + minutes * MINUTE
    runs = upcoming(expression, start - MINUTE, timezone)
    return list(takewhile(lambda at: at < end, runs))


FIELDS = (
    st.sampled_from(["*", "*/7", "0", "15", "0,30", "59", "1-5"]),
    st.sampled_from(["*", "0", "1", "2", "3", "2,14", "*/6", "1-3", "23"]),
    st.sampled_from(["*", "*", "*", "1", "29", "31", "*/2", "L"]),
    st.sampled_from(["*", "*", "*", "3", "10", "2"]),
    st.sampled_from(["*", "*", "1-5", "0", "7", "mon", "SUN#1"]),
)
EXPRESSIONS = st.tuples(*FIELDS).map(" ".join)
ZONES = st.sampled_from(
    [
        *("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"),
        *("Pacific/Apia", "Africa/Casablanca", "America/St_Johns"),
    ]
)
STARTS = st.datetimes(datetime(2023, 1, 1), datetime(2028, 1, 1)).map(
    lambda at: at.replace(second=0, microsecond=0, tzinfo=UTC)
)
CHANGES = st.sampled_from(
    [
        *("2026-03-29T01:00", "2026-10-25T01:00", "2026-03-08T07:00", "2026-11-01T06:00"),
        *("2026-04-04T15:00", "2026-10-03T15:30", "2011-12-30T10:00"),
    ]
)
NEAR_CHANGES = st.tuples(CHANGES, st.integers(-2000, 2000)).map(
    lambda pair: datetime.fromisoformat(pair[0]).replace(tzinfo=UTC) + pair[1] * MINUTE
)


@settings(deadline=None, max_examples=400)
@given(EXPRESSIONS, ZONES, st.one_of(STARTS, NEAR_CHANGES), st.integers(1, 4000))
def test_a_set_has_the_runs_of_the_schedule(
    expression: str, timezone: str, start: datetime, minutes: int
) -> None:
    timeline = Timeline(start, minutes)
    found = list(timeline.instants(timeline.runs(expression, timezone)))
    assert found == expected(expression, start, minutes, timezone)


@pytest.mark.parametrize(
    ("timezone", "day", "lengths"),
    [
        ("Europe/Berlin", "2026-03-28", [60]),
        ("Europe/Berlin", "2026-10-24", [-60]),
        ("Australia/Lord_Howe", "2026-10-03", [30]),
        ("Pacific/Apia", "2011-12-29", [24 * 60]),
        ("UTC", "2026-03-28", []),
    ],
)
def test_clock_changes_of_a_range(timezone: str, day: str, lengths: list[int]) -> None:
    timeline = Timeline(datetime.fromisoformat(day).replace(tzinfo=UTC), 3 * 24 * 60)
    changes = timeline.changes(timezone)
    assert [change.length // MINUTE for change in changes] == lengths
