"""When rows fire, above all when clocks change: against an oracle that watches each minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlq.cron.rows.row import CronRow, parse_row
from dlq.cron.rows.schedule import Due, Gaps, due, in_words, never_fires, runs, upcoming
from tests.cron.oracle import MINUTE, Watched, clock_changes, fires, watch

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",  # by half an hour
    "Africa/Cairo",  # at midnight
    "America/Havana",  # at midnight and at one
    "America/Santiago",  # at midnight, the southern way round
    "Pacific/Chatham",  # offsets of a quarter of an hour
    "Antarctica/Troll",  # by two hours
    "Africa/Casablanca",  # around Ramadan
    "Asia/Kolkata",  # never
)
EXPRESSIONS = (
    "* * * * *",
    "30 * * * *",
    "*/20 * * * *",
    "5,50 0-23 * * *",
    "45 * * * 5,7",
    "0 0 * * *",
    "30 0 * * *",
    "15 1 * * *",
    "0,30 2 * * *",
    "*/7 2 * * *",
    "30 2,3 * * 7",
    "59 23 * * *",
    "0 */2 * * *",
    "10 1-3 * * *",
    "* 2 * * 1-6",
    "30 1 26 10 *",
    "30 * 31 10 *",  # in Cairo the last hour of that day may come twice, and then not for a year
)


@pytest.mark.parametrize("zone_name", ZONES)
def test_due_agrees_with_watching_each_minute_around_all_clock_changes(zone_name: str) -> None:
    zone = ZoneInfo(zone_name)
    changes = clock_changes(zone, 2024, 2032)
    assert bool(changes) == (zone_name not in ("UTC", "Asia/Kolkata"))
    rows = [row(expression, zone_name) for expression in EXPRESSIONS]
    watched = [Watched(expression) for expression in EXPRESSIONS]
    for change in changes or [datetime(2024, 3, 31, tzinfo=UTC)]:
        start, end = change - timedelta(hours=13), change + timedelta(hours=13)
        walls = watch(zone, start, end)
        for one, expected in zip(rows, watched, strict=True):
            found = [run.at for run in due([one], start, end)]
            assert found == fires(expected, walls), (one.expression, change)


@pytest.mark.parametrize("zone_name", ["Europe/Berlin", "Australia/Lord_Howe", "Africa/Cairo"])
def test_asking_minute_by_minute_finds_the_same_as_asking_once(zone_name: str) -> None:
    rows = [row(expression, zone_name) for expression in EXPRESSIONS]
    for change in clock_changes(ZoneInfo(zone_name), 2025, 2025):
        start, end = change - timedelta(hours=2), change + timedelta(hours=3)
        one_by_one: list[Due] = []
        since = start
        while since < end:
            one_by_one += due(rows, since, since + MINUTE)
            since += MINUTE
        assert one_by_one == due(rows, start, end)
        assert one_by_one


@settings(max_examples=40, deadline=None)
@given(
    expression=st.sampled_from(EXPRESSIONS),
    zone_name=st.sampled_from(ZONES),
    seconds=st.integers(0, 8 * 366 * 24 * 3600),
    span=st.integers(1, 60 * 60 * 50),
)
def test_any_window_agrees_with_watching(
    expression: str, zone_name: str, seconds: int, span: int
) -> None:
    since = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds, microseconds=seconds % 7)
    until = since + timedelta(seconds=span)
    minute = since.replace(second=0, microsecond=0)
    # The oracle learns from the hours before how far the wall clock had come.
    walls = watch(ZoneInfo(zone_name), minute - timedelta(hours=4), until)
    expected = [at for at in fires(Watched(expression), walls) if at > since]
    assert [run.at for run in due([row(expression, zone_name)], since, until)] == expected


def test_a_fixed_hour_that_comes_twice_fires_once_and_any_hour_fires_twice() -> None:
    night = datetime(2025, 10, 26, 0, 0, tzinfo=UTC)  # Berlin: 03:00 summer becomes 02:00 winter
    fixed, hourly = row("30 2 * * *", "Europe/Berlin"), row("30 * * * *", "Europe/Berlin")
    found = due([fixed, hourly], night - timedelta(minutes=5), night + timedelta(hours=2))
    assert [(run.row.expression, run.at.hour, run.at.minute) for run in found] == [
        ("30 2 * * *", 0, 30),
        ("30 * * * *", 0, 30),
        ("30 * * * *", 1, 30),
    ]


def test_a_time_that_is_left_out_fires_at_the_first_instant_after_the_gap_and_once() -> None:
    night = datetime(2025, 3, 30, 1, 0, tzinfo=UTC)  # Berlin: 02:00 becomes 03:00
    rows = [row(text, "Europe/Berlin") for text in ("30 2 * * *", "*/10 2 * * *", "0 3 * * *")]
    found = due(rows, night - timedelta(hours=3), night + timedelta(hours=3))
    assert [run.at for run in found] == [night, night, night]


def test_the_row_s_zone_comes_before_the_configured_one() -> None:
    start = datetime(2025, 6, 1, tzinfo=UTC)
    plain, own = row("0 9 * * *", None), row("0 9 * * *", "Asia/Tokyo")
    assert next(runs(plain, start)).hour == 9
    assert next(runs(plain, start, "Europe/Berlin")).hour == 7
    assert next(runs(own, start, "Europe/Berlin")).hour == 0


def test_since_is_left_out_and_until_is_within() -> None:
    noon = datetime(2025, 6, 1, 12, tzinfo=UTC)
    one = row("0 12 * * *", None)
    assert due([one], noon, noon + MINUTE) == []
    assert due([one], noon - MINUTE, noon) == [Due(one, noon)]
    assert due([one], noon, noon - timedelta(days=2)) == []


@pytest.mark.parametrize("zone_name", ["UTC", "Europe/Berlin"])
@pytest.mark.parametrize("expression", ["0 0 31 2 *", "* * 30 2 *", "0 0 31 4,6,9,11 *"])
def test_a_row_that_never_fires_has_no_runs_and_ends(expression: str, zone_name: str) -> None:
    assert never_fires(expression)
    assert list(upcoming(expression, datetime(2025, 1, 1, tzinfo=UTC), zone_name)) == []
    assert Gaps().shortest(expression) is None
    assert in_words(expression) == "Never: no month has such a day"


def test_the_29th_of_february_fires() -> None:
    start = datetime(2025, 1, 1, tzinfo=UTC)
    years = [at.year for at in islice(upcoming("0 0 29 2 *", start), 3)]
    assert years == [2028, 2032, 2036]
    assert not never_fires("0 0 29 2 *")


@pytest.mark.parametrize(
    ("expression", "seconds"),
    [
        ("* * * * *", 60),
        ("0,30 * * * *", 1800),
        ("0,59 0,23 * * *", 60),
        ("0 3 * * 1,2", 86400),
        ("0 0 29 2 *", 4 * 365 * 86400 + 86400),
    ],
)
def test_the_shortest_time_between_two_runs(expression: str, seconds: int) -> None:
    gap = Gaps().shortest(expression)
    assert gap is not None
    assert gap.total_seconds() == seconds


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("* * * * *", "Every minute"),
        ("0,30 * * * *", "At minutes 0 and 30 of every hour"),
        ("15 3 * * 1-5", "At 03:15 on Monday through Friday"),
    ],
)
def test_a_schedule_in_words(expression: str, words: str) -> None:
    assert in_words(expression) == words


def row(expression: str, zone: str | None) -> CronRow:
    return parse_row({"command": "check", "schedule": expression, "timezone": zone})
