"""Rows fire once: real scheduler processes, a real server, and every fault on the way."""

from __future__ import annotations

import random
import signal
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dlq.cron.rows.row import parse_row
from dlq.cron.rows.schedule import due
from tests.cron.scheduling import SchedulerProcess, commands, minutes_of, queued, settled
from tests.kit.valkey import Server
from tests.kit.waiting import wait_until

HOURLY = {"command": "hourly", "minutes": "0", "hours": "*"}
MINUTELY = {"command": "minutely", "minutes": "*", "hours": "*"}
BEFORE = datetime(2026, 11, 24, 12, 59, 58, tzinfo=UTC)
"""Two seconds before an hour begins."""
AFTER = datetime(2026, 11, 24, 13, 2, 5, tzinfo=UTC)


def test_a_due_row_is_enqueued_in_the_form_of_411(tmp_path: Path, server: Server) -> None:
    row = {
        **HOURLY,
        "queue": "stock",
        "timeout": 30,
        "sigkill_on_stop": True,
        "command_args": ["a", 1],
        "command_kwargs": {"dry_run": True},
    }
    with SchedulerProcess(tmp_path, server, [row], BEFORE) as process:
        wait_until(lambda: queued(server, "stock"), what="the run is enqueued")
        process.has_logged("INFO enqueued hourly on stock")
    (job,) = queued(server, "stock")
    assert list(job) == ["path", "args", "kwargs", "timeout", "sigkill_on_stop", "created_time"]
    del job["created_time"]
    assert job == {
        "path": "django_lightweight_queue.cron_scheduler.execute",
        "args": ["hourly", "a", 1],
        "kwargs": {"dry_run": True},
        "timeout": 30,
        "sigkill_on_stop": True,
    }
    assert minutes_of(server, parse_row(row)) == [datetime(2026, 11, 24, 13, 0, tzinfo=UTC)]


def test_four_schedulers_enqueue_each_run_once(tmp_path: Path, server: Server) -> None:
    rows = [{**HOURLY, "command": f"c{n}", "minutes": f"*/{n}"} for n in (10, 15, 20)]
    with ExitStack() as stack:
        zero = time.time()
        processes = [
            stack.enter_context(
                SchedulerProcess(tmp_path, server, rows, BEFORE, speed=400, zero=zero)
            )
            for _ in range(4)
        ]
        wait_until(lambda: commands(server)["c10"] >= 4, 60, what="four runs of a row")
        for process in processes:
            process.has_logged("is enqueued already")  # Each of them did try.
    for raw in rows:
        row = parse_row(raw)
        minutes = minutes_of(server, row)
        assert commands(server)[row.command] == len(minutes)
        assert [run.at for run in due([row], minutes[0] - timedelta(minutes=1), minutes[-1])] == (
            minutes
        )


def test_a_run_that_a_killed_scheduler_missed_is_caught_up_once(
    tmp_path: Path, server: Server
) -> None:
    start = BEFORE - timedelta(minutes=3)
    with SchedulerProcess(tmp_path, server, [HOURLY], start) as first:
        wait_until(lambda: settled(server), what="it has settled its first minute")
        first.kill()
    assert not queued(server)
    with SchedulerProcess(tmp_path, server, [HOURLY], AFTER) as second:
        wait_until(lambda: queued(server), what="the run is caught up")
        second.has_logged("enqueued hourly on cron for Tue 24 Nov 13:00 UTC, 125 s late")
        second.kill()
    with SchedulerProcess(tmp_path, server, [HOURLY], AFTER) as third:
        third.has_logged("started")
        wait_until(lambda: "13:02" in settled(server), what="it has looked")
    assert commands(server) == {"hourly": 1}


def test_a_scheduler_that_is_killed_between_push_and_note_does_not_double(
    tmp_path: Path, server: Server
) -> None:
    with SchedulerProcess(tmp_path, server, [HOURLY], BEFORE) as first:
        wait_until(lambda: queued(server), what="the run is enqueued")
        first.kill()
    with server.client() as client:
        # As if it had died before it could write down that this minute is done.
        client.set("dlq:cron:settled:shop.settings", "2026-11-24T12:59:00+00:00")
    with SchedulerProcess(tmp_path, server, [HOURLY], AFTER) as second:
        second.has_logged("DEBUG hourly: the run of Tue 24 Nov 13:00 UTC is enqueued already")
    assert commands(server) == {"hourly": 1}


def test_several_missed_runs_of_a_row_are_caught_up_by_one(tmp_path: Path, server: Server) -> None:
    with SchedulerProcess(tmp_path, server, [HOURLY], BEFORE - timedelta(minutes=3)) as first:
        wait_until(lambda: settled(server), what="it has settled its first minute")
        first.kill()
    with SchedulerProcess(tmp_path, server, [MINUTELY], AFTER) as second:
        second.has_logged("minutely: 5 missed runs; the run of Tue 24 Nov 13:02 UTC stands for")
        wait_until(lambda: "13:02" in settled(server), what="it has looked")
    assert commands(server) == {"minutely": 1}


def test_a_run_is_skipped_with_a_line_after_a_longer_time(tmp_path: Path, server: Server) -> None:
    with SchedulerProcess(tmp_path, server, [HOURLY], BEFORE - timedelta(minutes=3)) as first:
        wait_until(lambda: settled(server), what="it has settled its first minute")
        first.kill()
    later = AFTER + timedelta(minutes=15)
    with SchedulerProcess(tmp_path, server, [HOURLY], later, cron_catch_up=600) as second:
        second.has_logged("hourly: its run of Tue 24 Nov 13:00 UTC is skipped")
        wait_until(lambda: "13:17" in settled(server), what="it has looked")
    assert commands(server) == {}


def test_catching_up_can_be_switched_off(tmp_path: Path, server: Server) -> None:
    with SchedulerProcess(tmp_path, server, [HOURLY], BEFORE - timedelta(minutes=3)) as first:
        wait_until(lambda: settled(server), what="it has settled its first minute")
        first.kill()
    with SchedulerProcess(tmp_path, server, [HOURLY], AFTER, cron_catch_up=0):
        wait_until(lambda: "13:02" in settled(server), what="it has looked")
    assert commands(server) == {}


def test_a_first_start_enqueues_nothing_that_was_due_before(tmp_path: Path, server: Server) -> None:
    """Whoever moves from another scheduler, 4.11's for instance, has had that run from it."""
    noon = datetime(2026, 11, 24, 12, 0, 20, tzinfo=UTC)
    with SchedulerProcess(tmp_path, server, [HOURLY, MINUTELY], noon):
        wait_until(lambda: "12:00" in settled(server), what="it has looked")
    assert commands(server) == {}


def test_two_projects_on_one_server_do_not_answer_for_each_other(
    tmp_path: Path, server: Server
) -> None:
    before = BEFORE - timedelta(minutes=3)
    with SchedulerProcess(tmp_path, server, [HOURLY], before, project="shop") as shop:
        wait_until(lambda: settled(server, "shop"), what="it has settled its first minute")
        shop.kill()
    other = {**HOURLY, "command": "other"}
    with SchedulerProcess(tmp_path, server, [other], AFTER, project="blog"):
        wait_until(lambda: "13:02" in settled(server, "blog"), what="it has looked")
    with SchedulerProcess(tmp_path, server, [HOURLY], AFTER, project="shop"):
        wait_until(lambda: queued(server), what="the run is caught up")
    assert commands(server) == {"hourly": 1}


def test_a_suspended_scheduler_misses_no_minute(tmp_path: Path, server: Server) -> None:
    start = BEFORE - timedelta(minutes=2)
    with SchedulerProcess(tmp_path, server, [HOURLY], start, speed=30, cron_catch_up=0) as process:
        wait_until(lambda: settled(server), what="it has settled its first minute")
        process.signal(signal.SIGSTOP)
        began = time.monotonic()
        # Two seconds of ours are a minute of its own: it is asleep while 13:00 begins.
        wait_until(lambda: time.monotonic() - began > 4.2, what="the hour has begun")
        assert not queued(server)
        process.signal(signal.SIGCONT)
        wait_until(lambda: queued(server), what="the run is enqueued late")
        wait_until(lambda: "13:0" in settled(server), what="it has settled the hour")
    assert commands(server) == {"hourly": 1}


def test_a_run_outlives_an_outage_of_the_server(tmp_path: Path) -> None:
    server = Server(appendonly="yes", appendfsync="always").start()
    try:
        with SchedulerProcess(tmp_path, server, [HOURLY], BEFORE, speed=2) as process:
            wait_until(lambda: settled(server), what="it has settled its first minute")
            server.kill()
            process.has_logged("trying again")
            server.start()
            process.has_logged("cron scheduler resumed after")
            wait_until(lambda: queued(server), what="the run is enqueued")
        assert commands(server) == {"hourly": 1}
    finally:
        server.remove()


def test_a_scheduler_that_starts_during_an_outage_misses_nothing(tmp_path: Path) -> None:
    server = Server()
    try:
        with SchedulerProcess(tmp_path, server, [HOURLY], BEFORE, speed=10) as process:
            process.has_logged("trying again")
            time_of_hour = time.monotonic() + 1
            wait_until(lambda: time.monotonic() > time_of_hour, what="the hour has begun")
            server.start()
            wait_until(lambda: queued(server), what="the run is enqueued")
        assert commands(server) == {"hourly": 1}
    finally:
        server.remove()


def test_a_row_that_fails_leaves_the_others_alone_and_is_tried_again(
    tmp_path: Path, server: Server
) -> None:
    rows = [
        {**HOURLY, "command": "first"},
        {**HOURLY, "command": "bad", "queue": "bad"},
        {**HOURLY, "command": "last"},
    ]
    with server.client() as client:
        client.set("django_lightweight_queue:bad", "no list")
        with SchedulerProcess(tmp_path, server, rows, BEFORE) as process:
            wait_until(
                lambda: commands(server) == {"first": 1, "last": 1}, what="the others are in"
            )
            process.has_logged("trying again")
            assert "12:59" in settled(server)  # A restart would take up the bad one, too.
            client.delete("django_lightweight_queue:bad")
            wait_until(lambda: commands(server, "bad") == {"bad": 1}, what="the bad one is in")
            wait_until(lambda: "13:00" in settled(server), what="the minute is settled")
    assert commands(server) == {"first": 1, "last": 1}


def test_a_row_that_keeps_failing_is_given_up_with_a_line(tmp_path: Path, server: Server) -> None:
    rows = [{**HOURLY, "command": "bad", "queue": "bad"}]
    with server.client() as client:
        client.set("django_lightweight_queue:bad", "no list")
    with SchedulerProcess(tmp_path, server, rows, BEFORE, speed=60, cron_catch_up=120) as process:
        process.has_logged("bad: its run of Tue 24 Nov 13:00 UTC is skipped: it could not be")
        wait_until(lambda: settled(server) > "2026-11-24T13:00", what="the minute is settled")


@pytest.mark.chaos
def test_no_run_is_lost_or_doubled_while_schedulers_are_killed(
    tmp_path: Path, server: Server
) -> None:
    """Two schedulers on one clock; every now and then one of them is killed and started again."""
    dice = random.Random(7)
    raw = {**HOURLY, "minutes": "*/30"}
    order = {"speed": 600.0, "zero": time.time(), "cron_catch_up": 3600}
    kills = 0
    with ExitStack() as stack:

        def start() -> SchedulerProcess:
            process = SchedulerProcess(tmp_path, server, [raw], BEFORE, **order)  # type: ignore[arg-type]  # one dict for several types
            return stack.enter_context(process)

        running = [start(), start()]
        while len(minutes_of(server, parse_row(raw))) < 4 or kills < 4:
            victim = dice.randrange(2)
            running[victim].has_logged("started")
            pause = time.monotonic() + dice.random()
            wait_until(lambda end=pause: time.monotonic() > end, what="a moment has passed")  # type: ignore[misc]  # mypy cannot infer a lambda with a default
            running[victim].kill()
            kills += 1
            running[victim] = start()
        assert kills < 200
    minutes = minutes_of(server, parse_row(raw))
    assert kills >= 4
    assert commands(server) == {"hourly": len(minutes)}
    assert minutes == [
        run.at for run in due([parse_row(raw)], minutes[0] - timedelta(minutes=1), minutes[-1])
    ]
