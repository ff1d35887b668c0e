"""Round by round, with a clock that the test sets: jumps, pauses, and backends of all kinds."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dlq.backends.base import BaseBackend
from dlq.config.settings import Settings
from dlq.cron.rows.row import parse_row
from dlq.errors import EnqueueError
from dlq.job import Job
from dlq.runtime import Runtime
from dlq.scheduler.scheduler import Scheduler, job_of, run
from dlq.types import QueueName, WorkerNumber
from tests.cron.scheduling import commands, runner_of, settings_for
from tests.kit.valkey import Server

NOON = datetime(2026, 11, 24, 12, 0, 1, tzinfo=UTC)
HOURLY = parse_row({"command": "hourly", "minutes": "0", "hours": "*"})
MINUTELY = parse_row({"command": "minutely", "minutes": "*", "hours": "*"})
LOGGER = logging.getLogger("tests.cron")
BackendOf = Callable[[QueueName], BaseBackend]


class ListBackend(BaseBackend):
    """A user's backend with no more than the interface of 4.11."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.problem: Exception | None = None

    def enqueue(self, job: Job, queue: QueueName) -> None:
        if self.problem is not None:
            raise self.problem
        self.jobs.append(job)

    def dequeue(self, queue: QueueName, worker_num: WorkerNumber, timeout: int) -> Job | None:
        return self.jobs.pop(0) if self.jobs else None

    def length(self, queue: QueueName) -> int:
        return len(self.jobs)

    @property
    def commands(self) -> Counter[str]:
        return Counter(job.args[0] for job in self.jobs)


def scheduler(backend_of: BackendOf, started: datetime, **settings: Any) -> Scheduler:
    return Scheduler([HOURLY, MINUTELY], Settings(**settings), backend_of, LOGGER, started=started)


def minutes(first: datetime, count: int) -> list[datetime]:
    return [first + timedelta(minutes=number) for number in range(count)]


def test_every_minute_is_enqueued_once_however_often_one_looks() -> None:
    backend = ListBackend()
    one = scheduler(lambda queue: backend, NOON)
    for at in minutes(NOON, 61):
        for second in (0, 0.5, 1, 58.9):
            one.round(at + timedelta(seconds=second))
    # Not the minute in which it started: there may have been a scheduler before.
    assert backend.commands == {"minutely": 60, "hourly": 1}


def test_a_late_tick_misses_no_minute_even_where_nothing_is_caught_up() -> None:
    backend = ListBackend()
    one = scheduler(lambda queue: backend, NOON, cron_catch_up=0)
    one.round(NOON)
    one.round(NOON + timedelta(minutes=1, seconds=79))  # 12:02:20: 12:01 is 80 s late
    assert backend.commands == {"minutely": 2}


def test_after_a_long_pause_the_latest_run_stands_for_the_others() -> None:
    backend = ListBackend()
    one = scheduler(lambda queue: backend, NOON)
    one.round(NOON)
    one.round(NOON + timedelta(minutes=8, seconds=50))
    assert backend.commands == {"minutely": 1}


def test_what_is_too_late_is_skipped_with_a_line(caplog: pytest.LogCaptureFixture) -> None:
    backend = ListBackend()
    one = scheduler(lambda queue: backend, NOON - timedelta(minutes=5), cron_catch_up=600)
    one.round(NOON - timedelta(minutes=5))
    one.round(NOON + timedelta(minutes=30))
    assert backend.commands == {"minutely": 1}
    assert "hourly: its run of Tue 24 Nov 12:00 UTC is skipped" in caplog.text


@pytest.mark.parametrize("back", [timedelta(seconds=2), timedelta(hours=1), timedelta(days=3)])
def test_a_clock_that_jumps_back_repeats_nothing_and_stops_nothing(
    back: timedelta, caplog: pytest.LogCaptureFixture
) -> None:
    backend = ListBackend()
    one = scheduler(lambda queue: backend, NOON - back - timedelta(minutes=3))
    start = NOON - back - timedelta(minutes=3)
    for at in [*minutes(start, int((NOON - start).total_seconds() // 60) + 1), NOON]:
        one.round(at)
    first = backend.commands
    for at in minutes(NOON - back, int(back.total_seconds() // 60) + 1):
        one.round(at)
    assert backend.commands == first
    assert "the clock went back" in caplog.text
    one.round(NOON + timedelta(minutes=1))
    assert backend.commands == first + Counter(minutely=1)


def test_minutes_that_were_jumped_over_forwards_are_not_lost_when_it_jumps_back() -> None:
    """A machine that boots with a clock of another zone, until the time server corrects it."""
    backend = ListBackend()
    one = scheduler(lambda queue: backend, NOON)
    one.round(NOON)
    one.round(NOON + timedelta(hours=10))
    enqueued = backend.commands["hourly"]
    for at in minutes(NOON + timedelta(minutes=1), 60):
        one.round(at)
    assert backend.commands["hourly"] == enqueued + 1
    assert backend.commands["minutely"] == 61


def test_changes_of_the_clocks_are_no_jumps() -> None:
    backend = ListBackend()
    start = datetime(2025, 10, 26, 0, 59, 1, tzinfo=UTC)  # Berlin: 02:59:01, then 02:00 again
    one = scheduler(lambda queue: backend, start, cron_timezone="Europe/Berlin")
    for at in minutes(start, 121):
        one.round(at)
    assert backend.commands == {"minutely": 120, "hourly": 2}


def test_a_job_that_may_be_stored_is_not_sent_twice_to_a_backend_without_marks() -> None:
    backend = ListBackend()
    one = scheduler(lambda queue: backend, NOON)
    one.round(NOON)
    backend.problem = EnqueueError("the reply was lost", may_be_stored=True)
    one.round(NOON + timedelta(minutes=1))
    backend.problem = None
    one.round(NOON + timedelta(minutes=1, seconds=1))
    assert backend.commands == {}


@pytest.mark.parametrize(
    "problem", [EnqueueError("refused", may_be_stored=False), RuntimeError("a user's backend")]
)
def test_a_job_that_is_certainly_not_stored_is_sent_again(problem: Exception) -> None:
    backend = ListBackend()
    one = scheduler(lambda queue: backend, NOON)
    one.round(NOON)
    backend.problem = problem
    one.round(NOON + timedelta(minutes=1))
    one.round(NOON + timedelta(minutes=1, seconds=1))
    backend.problem = None
    one.round(NOON + timedelta(minutes=1, seconds=2))
    one.round(NOON + timedelta(minutes=1, seconds=3))
    assert backend.commands == {"minutely": 1}


def test_a_long_outage_is_not_logged_once_a_second(caplog: pytest.LogCaptureFixture) -> None:
    backend = ListBackend()
    one = scheduler(lambda queue: backend, NOON)
    one.round(NOON)
    backend.problem = EnqueueError("refused", may_be_stored=False)
    for second in range(200):
        one.round(NOON + timedelta(minutes=1, milliseconds=second))
    assert caplog.text.count("trying again") == 1


def test_a_backend_that_cannot_be_made_leaves_the_rows_of_others_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    backend = ListBackend()
    odd = parse_row({"command": "odd", "minutes": "*", "hours": "*", "queue": "odd"})

    def backend_of(queue: QueueName) -> BaseBackend:
        if queue == "odd":
            raise ZeroDivisionError("in its constructor")
        return backend

    settings = Settings(backend_overrides={"odd": "shop.OddBackend"})
    one = Scheduler([odd, MINUTELY], settings, backend_of, LOGGER, started=NOON)
    one.round(NOON)
    one.round(NOON + timedelta(minutes=1))
    assert backend.commands == {"minutely": 1}
    assert "ZeroDivisionError: in its constructor" in caplog.text


def test_rows_that_are_there_twice_are_one_row() -> None:
    backend = ListBackend()
    one = Scheduler([MINUTELY, MINUTELY], Settings(), lambda queue: backend, LOGGER, started=NOON)
    one.round(NOON + timedelta(minutes=1))
    assert backend.commands == {"minutely": 1}


def test_a_stop_is_heeded_between_two_rows_and_loses_none(server: Server) -> None:
    backend_of = Runtime(settings_for(server)).backend
    one = scheduler(backend_of, NOON - timedelta(minutes=1))
    one.round(NOON - timedelta(minutes=1))
    answers = iter([False, False, True])
    one.round(NOON, lambda: next(answers, True))
    assert sum(commands(server).values()) == 1
    other = scheduler(backend_of, NOON + timedelta(seconds=30))
    other.round(NOON + timedelta(seconds=30))
    assert commands(server) == {"hourly": 1, "minutely": 1}


@pytest.mark.parametrize("back", [timedelta(seconds=2), timedelta(hours=3)])
def test_a_restart_after_the_clock_went_back_repeats_nothing(
    server: Server, back: timedelta
) -> None:
    backend_of = Runtime(settings_for(server)).backend
    started = NOON - timedelta(minutes=1)
    first = scheduler(backend_of, started)
    first.round(started)
    first.round(NOON)
    before = commands(server)
    assert before == {"hourly": 1, "minutely": 1}
    again = scheduler(backend_of, started - back)
    for at in minutes(started - back, int(back.total_seconds() // 60) + 2):
        again.round(at)
    assert commands(server)["hourly"] == 1 + int(back.total_seconds() // 3600)
    third = scheduler(backend_of, started)
    third.round(started)
    third.round(NOON)
    assert commands(server)["hourly"] == 1 + int(back.total_seconds() // 3600)


def test_an_emptied_server_is_a_first_start(server: Server) -> None:
    backend_of = Runtime(settings_for(server)).backend
    first = scheduler(backend_of, NOON - timedelta(minutes=1))
    first.round(NOON - timedelta(minutes=1))
    first.round(NOON)
    with server.client() as client:
        client.flushall()
    second = scheduler(backend_of, NOON + timedelta(minutes=1))
    second.round(NOON + timedelta(minutes=1))
    assert commands(server) == {}
    first.round(NOON + timedelta(minutes=1))
    assert commands(server) == {"minutely": 1}


@pytest.mark.parametrize("text", ["", "nonsense", "2026-11-24T11:00:00", "\x00"])
def test_a_mark_that_cannot_be_read_is_a_first_start(server: Server, text: str) -> None:
    with server.client() as client:
        client.set("dlq:cron:settled:", text)
    one = scheduler(Runtime(settings_for(server)).backend, NOON)
    one.round(NOON)
    assert commands(server) == {}


def test_marks_go_by_themselves_and_lie_under_our_prefix(server: Server) -> None:
    settings = settings_for(server, redis_prefix="shop", cron_catch_up=600)
    one = Scheduler(
        [HOURLY], settings, Runtime(settings).backend, LOGGER, started=NOON, project="p"
    )
    one.round(NOON)
    one.round(NOON + timedelta(hours=1))
    with server.client() as client:
        keys = sorted(key.decode() for key in client.keys("*"))
        assert keys == [
            "shop:django_lightweight_queue:cron",
            f"shop:dlq:cron:{HOURLY.identity}:202611241300",
            "shop:dlq:cron:settled:p",
            "shop:dlq:cron_records",
        ]
        assert client.type(keys[0]) == b"list"
        assert 3600 < client.ttl(keys[1]) < 24 * 3600
        assert client.ttl(keys[2]) > 24 * 3600


def test_run_asks_for_its_end_and_for_the_time() -> None:
    """The supervisor gives `stopped` and `wait`; each round shows life through them."""
    backend = ListBackend()
    moments = iter(minutes(NOON, 10))
    waits: list[float] = []
    run(
        [MINUTELY],
        Settings(),
        runner_of(),
        stopped=lambda: len(waits) >= 3,
        wait=waits.append,
        logger=LOGGER,
        now=lambda: next(moments),
        backend_of=lambda queue: backend,
    )
    assert len(waits) == 3
    assert all(0 < wait <= 1 for wait in waits)
    assert backend.jobs[0].identity_without_created() == (
        job_of(MINUTELY).identity_without_created()
    )


def test_each_backend_of_a_server_catches_up_its_own_rows(server: Server) -> None:
    """They stop at different moments: what one has done says nothing of the other."""
    reliable = "dlq.backends.reliable_redis.ReliableRedisBackend"
    other = "dlq.backends.redis.RedisBackend"
    settings = settings_for(server, backend=reliable, backend_overrides={"once": other})
    once = {"command": "minutely", "minutes": "*", "hours": "*", "queue": "once"}
    rows = [MINUTELY, parse_row(once)]
    runtime = Runtime(settings)
    for at, some in ((0, rows), (1, rows[:1])):
        # At the second moment only the rows of the first backend are scheduled.
        one = Scheduler(some, settings, runtime.backend, LOGGER, started=NOON)
        one.round(NOON + timedelta(minutes=at))
        one.round(NOON + timedelta(minutes=at + 1))
    later = NOON + timedelta(minutes=4)
    two = Scheduler(rows, settings, runtime.backend, LOGGER, started=later)
    two.round(later)
    runtime.reset_connections()
    assert commands(server) == {"minutely": 3}
    assert commands(server, "once") == {"minutely": 2}, "one at first, and one for what was missed"
