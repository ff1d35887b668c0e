"""The rates of a runner: pure arithmetic over counters, and what a real runner reports."""

from __future__ import annotations

from dlq.backends.redis_storage.fleet.heartbeats import runners
from dlq.backends.redis_storage.keys import Keys
from dlq.backends.state import QueueActivity
from dlq.process.activity import ActivityLog
from tests.kit.waiting import wait_until
from tests.process.conftest import Host


def test_nothing_is_said_before_there_is_something_to_compare() -> None:
    log = ActivityLog()
    assert log.activity() == {}
    log.note(0, {"emails": (5, 1)})
    assert log.activity() == {}


def test_rates_are_differences_of_counters() -> None:
    """One run a second, each tenth fails: an hour of it, noted every two seconds."""
    log = ActivityLog()
    for second in range(0, 3602, 2):
        log.note(second, {"emails": (second, second // 10)})
    activity = log.activity()["emails"]
    assert (activity.finished_1, activity.failed_1) == (54, 6)
    assert (activity.finished_5, activity.failed_5) == (270, 30)
    assert len(activity.hour) == 12
    assert set(activity.hour[:-1]) == {270}


def test_counters_of_a_new_queue_begin_at_nothing() -> None:
    log = ActivityLog()
    log.note(0, {})
    log.note(2, {"emails": (7, 2)})
    assert log.activity() == {"emails": QueueActivity(5, 2, 5, 2, (5,))}


def test_a_runner_says_what_runs_and_what_it_has_done(host: Host) -> None:
    for number in range(20):
        host.push("quick", number)
    host.push("until_file", 99, str(host.directory / "go"))
    host.run(workers=1)
    with host.server.client() as client:

        def is_seen() -> bool:
            return any(state.running and state.activity for state in runners(client, Keys("")))

        wait_until(is_seen, 15, what="the heartbeat names the job")
        [state] = runners(client, Keys(""))
    [job] = state.running
    assert job.worker == "faults/1"
    assert job.task == "tests.project.faults.tasks.until_file"
    assert abs(job.since - state.runner.started) < 60
    (host.directory / "go").touch()
