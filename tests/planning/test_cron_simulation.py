"""What `cron simulate` says, against a count of single runs."""

from __future__ import annotations

import random
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dlq.cron.history import ran_part, record_id
from dlq.cron.rows.row import CronRow, parse_row
from dlq.cron.rows.schedule import runs
from dlq.planning.cron_simulation import MinuteCounts, Simulation, simulate
from dlq.types import QueueName
from tests.cli.conftest import Project
from tests.kit.valkey import Server

MINUTE = timedelta(minutes=1)
START = datetime(2026, 3, 28, 12, tzinfo=UTC)
"""Half a day before the clocks change in Europe."""


def row(schedule: str, **others: Any) -> CronRow:
    return parse_row({"command": "work", "schedule": schedule, **others})


def simulated(
    rows: list[CronRow], hours: int = 48, zone: str = "UTC", **options: Any
) -> Simulation:
    options = {"workers": {QueueName("cron"): 1}, "durations": {}, **options}
    return simulate(
        rows,
        options["workers"],
        START,
        timedelta(hours=hours),
        zone,
        options["durations"],
    )


ROWS = st.builds(
    lambda minute, hour, queue, timeout, name: row(
        f"{minute} {hour} * * *", queue=queue, timeout=timeout, command=name
    ),
    st.sampled_from(["*", "*/7", "0", "15,16", "30"]),
    st.sampled_from(["*", "2", "1-4", "*/5"]),
    st.sampled_from(["cron", "slow"]),
    st.sampled_from([None, 30, 60, 61, 500, 100_000]),
    st.sampled_from(["a", "b", "c"]),
)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(ROWS, max_size=12),
    st.integers(1, 60),
    st.sampled_from(["UTC", "Europe/Berlin"]),
    st.integers(0, 3),
)
def test_it_counts_what_the_scheduler_would_run(
    rows: list[CronRow], hours: int, zone: str, workers: int
) -> None:
    found = simulated(rows, hours, zone, workers={QueueName("cron"): workers})
    distinct = {each.identity: each for each in rows}
    end = START + timedelta(hours=hours)
    instants = {
        identity: list(takewhile(lambda at: at < end, runs(each, START - MINUTE, zone)))
        for identity, each in distinct.items()
    }
    for load in found.loads:
        of_queue = [name for name, each in distinct.items() if each.queue == load.queue]
        by_hour = Counter(
            (at - START) // timedelta(hours=1) for name in of_queue for at in instants[name]
        )
        assert list(load.hours) == [by_hour[hour] for hour in range(hours)]
        by_minute = Counter(at for name in of_queue for at in instants[name])
        piled = {at: due for at, due in by_minute.items() if due > load.workers}
        assert found.piled.get(load.queue, 0) == len(piled)
        shown = {pile.at: pile.due for pile in found.pile_ups if pile.queue == load.queue}
        assert shown.items() <= piled.items()
        assert len(shown) == min(len(piled), 10)
        assert sorted(shown.values()) == sorted(piled.values())[-len(shown) :]
    for identity, each in distinct.items():
        during = 0
        for earlier, later in zip(instants[identity], instants[identity][1:], strict=False):
            during += each.timeout is not None and (later - earlier).total_seconds() < each.timeout
        assert sum(overlap.runs for overlap in found.overlaps if overlap.row == each) == during


def test_a_row_that_overlaps_by_its_recorded_duration() -> None:
    each = row("*/5 * * * *", timeout=60)
    assert simulated([each]).overlaps == ()
    (found,) = simulated([each], durations={each.identity: 301.0}).overlaps
    assert (found.basis, found.runs, found.of) == ("recorded", 575, 576)


def test_clock_changes_and_what_each_row_does() -> None:
    rows = [
        row("30 2 * * *", command="moved"),
        row("*/20 * * * *", command="skipped"),
        row("30 4 * * *", command="untouched"),
        row("30 2 * * *", command="elsewhere", timezone="UTC"),
    ]
    (spring,) = simulated(rows, zone="Europe/Berlin").changes
    assert spring.change.at == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert [(at.row.command, at.effect, at.times) for at in spring.rows] == [
        ("moved", "moves", 1),
        ("skipped", "skips", 3),
    ]
    autumn = simulate(
        rows,
        {},
        datetime(2026, 10, 24, 12, tzinfo=UTC),
        timedelta(days=1),
        "Europe/Berlin",
        {},
    ).changes[0]
    assert [(at.row.command, at.effect) for at in autumn.rows] == [
        ("moved", "once"),
        ("skipped", "twice"),
    ]


@given(st.lists(st.integers(0, 2**40), max_size=40), st.integers(0, 50))
def test_counts_of_all_minutes_at_once(masks: list[int], limit: int) -> None:
    counts = MinuteCounts(masks)
    one_by_one = [sum(mask >> minute & 1 for mask in masks) for minute in range(41)]
    expected = [minute for minute, count in enumerate(one_by_one) if count > limit]
    assert counts.above(limit) == sum(1 << minute for minute in expected)
    top = counts.highest(counts.above(limit), 5)
    assert (
        sorted(one_by_one[minute] for minute in top)
        == sorted((one_by_one[minute] for minute in expected), reverse=True)[:5][::-1]
    )


def many_rows(count: int, seed: int = 1) -> list[CronRow]:
    """Rows with many different schedules, a tenth of them of every minute."""
    chance = random.Random(seed)
    rows = []
    for number in range(count):
        minute = chance.choice([f"{chance.randrange(60)}", f"*/{chance.randint(1, 30)}", "*"])
        hour = chance.choice(["*", f"{chance.randrange(24)}", f"*/{chance.randint(2, 12)}"])
        days = chance.choice(["*", "*", f"{chance.randint(1, 28)}"])
        weekdays = chance.choice(["*", "*", "1-5", f"{chance.randrange(7)}"])
        rows.append(
            row(
                f"{minute} {hour} {days} * {weekdays}",
                command=f"command{number}",
                queue=f"queue{number % 20}",
                timeout=chance.choice([None, 60, 3600]),
            )
        )
    return rows


def test_ten_thousand_rows_take_a_few_seconds() -> None:
    rows = many_rows(10_000)
    began = time.process_time()
    found = simulate(rows, {}, START, timedelta(days=7), "Europe/Berlin", {})
    assert time.process_time() - began < 5
    assert found.rows == 10_000
    assert found.runs > 8_000_000


def test_the_command(project: Project) -> None:
    project.add_settings('LIGHTWEIGHT_QUEUE_CRON_TIMEZONE = "Europe/Berlin"')
    project.write(
        "orders/cron.py",
        """CONFIG = (
    {"command": "expire_baskets", "minutes": "0,30", "hours": "*", "timeout": 3600},
    {"command": "nightly_report", "minutes": "30", "hours": "2"},
    {"command": "sync_stock", "minutes": "0", "hours": "*", "queue": "stock"},
)
""",
    )
    words = ("cron", "simulate", "--for", "2d", "--from", "2026-03-28")
    project.dlq(*words).has(
        "3 rows, 146 runs in 2 d from Sat 28 Mar 2026 00:00 (Europe/Berlin)",
        "cron: 1 worker, 98 runs",
        "Sun 29 Mar",
        "expire_baskets (0,30 * * * *) may take 1 h: 95 of 96 runs start while the one before",
        "Sun 29 Mar 03:00 in Europe/Berlin: 60 minutes of the wall clock are left out",
        "nightly_report (30 2 * * *) fires once, when the clocks have changed",
        "sync_stock (0 * * * *) does not fire in the hour that is left out",
        code=0,
    )
    found = project.dlq(*words, "--format", "json").json
    assert (found["start"], found["rows"], found["runs"]) == ("2026-03-27T23:00:00Z", 3, 146)
    loads = {load["queue"]: load for load in found["queues"]}
    assert len(loads["cron"]["hours"]) == 48
    assert sum(loads["stock"]["hours"]) == 48
    assert loads["cron"]["minutes_piled_up"] == len(found["pile_ups"]) == 2
    assert found["pile_ups"][0]["due"] == 2
    assert found["clock_changes"][0]["minutes"] == 60


def test_recorded_durations(live: Project, server: Server) -> None:
    field = f"{record_id('sync_stock', (), {})}:ran"
    server.client().hset("dlq:cron_records", field, ran_part(1000.0, 1090.5, "ok", "", None))
    words = ("cron", "simulate", "--for", "1h", "--recorded")
    live.dlq(*words).has("sync_stock (* * * * *) took 2 min: 59 of 60 runs start", code=0)
    live.dlq(*words[:-1]).has("60 runs", code=0)
    (found,) = live.dlq(*words, "--format", "json").json["overlaps"]
    assert (found["basis"], found["seconds"]) == ("recorded", 90.5)


def test_what_cannot_be_simulated(project: Project) -> None:
    project.dlq("cron", "simulate", "--for", "0s").has("--for", code=2)
    project.dlq("cron", "simulate", "--for", "soon").has("not a duration", code=2)
    project.dlq("cron", "simulate", "--from", "today").has("--from 'today' is no time", code=2)
