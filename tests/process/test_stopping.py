"""How a runner stops: by each signal, to one process or to all, and when its supervisor is
killed."""

from __future__ import annotations

import json
import os
import signal
import time

import pytest

from tests.kit.runner import is_alive
from tests.kit.waiting import wait_until
from tests.process.conftest import QUEUE, FailedJobs, Host, findings

STOPS = [signal.SIGTERM, signal.SIGINT]


@pytest.mark.parametrize("number", STOPS)
def test_an_idle_runner_stops_at_once(host: Host, number: int) -> None:
    runner = host.run(workers=3)
    host.push("quick", 1)
    wait_until(lambda: host.ledger.events("end", "1"))
    began = time.monotonic()
    runner.signal(number)
    assert runner.wait(5) == 0
    assert time.monotonic() - began < 0.8
    assert "Stopped: 3 workers, 0 killed." in runner.output


@pytest.mark.parametrize("everybody", [False, True], ids=["supervisor", "everybody"])
@pytest.mark.parametrize("number", STOPS)
def test_a_running_job_comes_to_its_end(host: Host, number: int, everybody: bool) -> None:
    host.push("until_file", 1, str(host.directory / "go"))
    runner = host.run(workers=2)
    [started] = wait_until(lambda: host.ledger.events("start", "1"))
    host.push("quick", 2)
    wait_until(lambda: host.ledger.events("end", "2"))
    (runner.signal_everybody if everybody else runner.signal)(number)
    runner.wait_for_line(r"Waiting for 1 job: faults/\d tests.project.faults.tasks.until_file, 0 s")
    host.push("quick", 3)
    (host.directory / "go").touch()
    assert runner.wait(5) == 0
    [ended] = host.ledger.events("end", "1")
    assert ended.pid == started.pid
    assert not host.ledger.events("start", "3"), "no job was begun after the signal"
    assert len(host.waiting()) == 1
    assert host.in_hand(1) + host.in_hand(2) == []


@pytest.mark.parametrize("everybody", [False, True], ids=["supervisor", "everybody"])
def test_a_job_that_may_be_killed_is_and_goes_back_uncounted(
    host: Host, failed_jobs: FailedJobs, everybody: bool
) -> None:
    raw = host.push("killable", 1, 60, sigkill_on_stop=True)
    runner = host.run(max_crashes=1)
    wait_until(lambda: host.ledger.events("start", "1"))
    later = host.push("quick", 2)
    began = time.monotonic()
    (runner.signal_everybody if everybody else runner.signal)(signal.SIGTERM)
    assert runner.wait(5) == 0
    assert time.monotonic() - began < 2
    assert host.waiting() == [later, raw], "at the tail, where it is taken first"
    assert host.in_hand() == []
    assert failed_jobs() == []
    assert "1 killed" in runner.output
    host.run(max_crashes=1)
    wait_until(lambda: len(host.ledger.events("start", "1")) == 2)
    assert failed_jobs() == []


def test_one_worker_that_is_asked_to_stop_is_replaced(host: Host, failed_jobs: FailedJobs) -> None:
    host.push("killable", 1, 60, sigkill_on_stop=True)
    runner = host.run(max_crashes=1)
    [first] = wait_until(lambda: host.ledger.events("start", "1"))
    os.kill(first.pid, signal.SIGTERM)
    second = wait_until(lambda: host.ledger.events("start", "1")[1:])[0]
    assert second.pid == runner.worker_pid("faults/1") != first.pid
    assert failed_jobs() == [], "nobody is to blame"


def test_the_stop_timeout_bounds_a_stop(host: Host, failed_jobs: FailedJobs) -> None:
    raw = host.push("slow", 1, 60)
    runner = host.run(stop_timeout=1, max_crashes=1)
    wait_until(lambda: host.ledger.events("start", "1"))
    began = time.monotonic()
    runner.signal(signal.SIGTERM)
    assert runner.wait(5) == 0
    assert 1 <= time.monotonic() - began < 2
    assert host.waiting() == [raw]
    assert failed_jobs() == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_second_signal_kills(host: Host, number: int, code: int) -> None:
    raw = host.push("slow", 1, 60)
    runner = host.run()
    [started] = wait_until(lambda: host.ledger.events("start", "1"))
    runner.signal(number)
    runner.wait_for_line("Waiting for 1 job")
    signalled = time.monotonic()
    wait_until(lambda: time.monotonic() - signalled > 0.5)
    assert is_alive(started.pid), "an impatient echo of the first signal is no second one"
    runner.signal(number)
    assert runner.wait(5) == code
    assert not is_alive(started.pid)
    assert host.waiting() == [raw]
    assert "1 killed" in runner.output


def test_a_job_over_its_time_while_the_runner_stops_is_a_failed_job(
    host: Host, failed_jobs: FailedJobs
) -> None:
    host.push("slow", 1, 60, timeout=1.5)
    runner = host.run()
    wait_until(lambda: host.ledger.events("start", "1"))
    runner.signal(signal.SIGTERM)
    assert runner.wait(6) == 0
    [failed] = failed_jobs()
    assert failed.failure.kind == "timeout"
    assert host.waiting() + host.in_hand() == []


def test_when_the_supervisor_is_killed_idle_workers_go_and_busy_ones_finish(host: Host) -> None:
    host.push("until_file", 1, str(host.directory / "go"))
    runner = host.run(workers=2)
    [started] = wait_until(lambda: host.ledger.events("start", "1"))
    runner.signal(signal.SIGKILL)
    runner.wait()
    killed = time.monotonic()
    host.push("quick", 2)
    idle = {runner.worker_pid("faults/1"), runner.worker_pid("faults/2")} - {started.pid}
    wait_until(lambda: not any(is_alive(pid) for pid in idle), 2)
    assert is_alive(started.pid)
    (host.directory / "go").touch()
    [ended] = wait_until(lambda: host.ledger.events("end", "1"))
    assert ended.at > killed
    wait_until(lambda: not runner.pids(), 2, what="all have gone after the job")
    assert not host.ledger.events("start", "2"), "nothing is taken after the supervisor died"
    assert host.in_hand(1) + host.in_hand(2) == []


def test_status_says_that_a_supervisor_is_gone_and_what_is_finished(host: Host) -> None:
    runner = host.run()
    host.push("until_file", 1, str(host.directory / "go"))
    wait_until(lambda: host.ledger.events("start", "1"))
    wait_until(lambda: findings(runner, "dlq.W408") == [], 10)
    runner.signal(signal.SIGKILL)
    [found] = wait_until(lambda: findings(runner, "dlq.W408"), 15)
    assert f"(pid {runner.pid})" in found["message"]
    pid = host.ledger.events("start", "1")[0].pid
    assert f"faults/1 (pid {pid}) tests.project.faults.tasks.until_file" in found["message"]
    (host.directory / "go").touch()
    wait_until(lambda: not runner.pids(), 10)


def test_a_new_supervisor_takes_over_at_once_but_not_a_number_that_is_at_work(host: Host) -> None:
    host.push("until_file", 1, str(host.directory / "go"))
    first = host.run(workers=2)
    [started] = wait_until(lambda: host.ledger.events("start", "1"))
    first.signal(signal.SIGKILL)
    first.wait()
    second = host.run(workers=2)
    began = time.monotonic()
    for job in range(2, 12):
        host.push("quick", job)
    wait_until(lambda: len(host.ledger.events("end")) == 10, 5)
    assert time.monotonic() - began < 3
    assert is_alive(started.pid)
    assert len(host.ledger.events("start", "1")) == 1, "the job in hand is not run by another"
    (host.directory / "go").touch()
    wait_until(lambda: host.ledger.events("end", "1"))
    wait_until(lambda: not first.pids(), 3)
    assert len(host.ledger.events("start", "1")) == 1
    assert second.stop() == 0


def test_the_timeout_of_a_job_outlives_the_supervisor(host: Host) -> None:
    host.push("slow", 1, 60, timeout=1.5)
    runner = host.run()
    [started] = wait_until(lambda: host.ledger.events("start", "1"))
    runner.signal(signal.SIGKILL)
    runner.wait()
    wait_until(lambda: not is_alive(started.pid), 4)
    wait_until(lambda: not runner.pids(), 3)


def test_workers_stop_while_the_server_is_away(host: Host) -> None:
    """The supervisor gives them 2 s to say good-bye to it, and its heartbeat process 0.8 s more."""
    runner = host.run(workers=2)
    host.push("quick", 1)
    wait_until(lambda: host.ledger.events("end", "1"))
    host.server.freeze()
    try:
        began = time.monotonic()
        runner.signal(signal.SIGTERM)
        assert runner.wait(8) == 0
        assert time.monotonic() - began < 2 + 0.8 + 1
    finally:
        host.server.thaw()


def test_jobs_are_as_they_were_pushed(host: Host) -> None:
    """The other tests rely on it."""
    raw = host.push("quick", 1)
    assert host.waiting() == [raw]
    assert json.loads(raw)["path"] == "tests.project.faults.tasks.quick"
    assert QUEUE == "faults"
