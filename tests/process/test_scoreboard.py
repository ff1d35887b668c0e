"""What a worker writes on the scoreboard, others read; also when it dies at any point."""

from __future__ import annotations

import math
import os
import signal

import pytest

from dlq.backends.base import PreviousProcess
from dlq.process.scoreboard import RAW_LIMIT, Scoreboard, State
from dlq.process.supervisor.child import previous_process_of
from dlq.process.supervisor.exit_status import ExitStatus


def test_a_run_can_be_read_by_another_process() -> None:
    scoreboard = Scoreboard(2)
    pid = os.fork()
    if pid == 0:
        slot = scoreboard.slot(1)
        slot.occupy(os.getpid())
        slot.begin("orders.tasks.confirm", b"{job}", 2.5, True)
        os._exit(0)
    os.waitpid(pid, 0)
    entry = scoreboard.read(1)
    assert (entry.state, entry.pid, entry.runs) == (State.RUNNING, pid, 1)
    assert (entry.path, entry.raw) == ("orders.tasks.confirm", b"{job}")
    assert entry.sigkill_on_stop
    assert entry.deadline - entry.started == pytest.approx(2.5)
    assert scoreboard.deadline(1) == entry.deadline
    assert scoreboard.read(0).state is State.STARTING


def test_it_can_be_attached_by_its_descriptor() -> None:
    scoreboard = Scoreboard(1)
    scoreboard.slot(0).begin("a.b", b"raw", None, False)
    other = Scoreboard.attach(os.dup(scoreboard.fd))
    assert other.read(0).raw == b"raw"
    assert other.deadline(0) == math.inf


def test_a_long_job_is_known_by_its_path_alone() -> None:
    scoreboard = Scoreboard(2)
    scoreboard.slot(0).begin("p" * 1000, b"x" * (RAW_LIMIT + 1), None, False)
    entry = scoreboard.read(0)
    assert entry.raw is None
    assert entry.path == "p" * 256
    scoreboard.slot(0).begin("a.b", b"x" * RAW_LIMIT, None, False)
    assert scoreboard.read(0).raw == b"x" * RAW_LIMIT
    assert scoreboard.read(1).state is State.STARTING


@pytest.mark.parametrize("timeout", [10**400, 1e308, 1e300])
def test_a_timeout_of_any_size_has_a_deadline(timeout: float) -> None:
    """Another program may have stored it: the sum with the clock must stay a number."""
    scoreboard = Scoreboard(1)
    scoreboard.slot(0).begin("a.b", b"raw", timeout, False)
    assert math.isfinite(scoreboard.deadline(0))


def test_what_a_forked_process_writes_is_not_seen() -> None:
    scoreboard = Scoreboard(1)
    slot = scoreboard.slot(0)
    slot.occupy(7)
    slot.begin("a.b", b"raw", None, False)
    slot.detach()
    slot.stop()
    slot.begin("c.d", b"other", 1, True)
    entry = scoreboard.read(0)
    assert (entry.state, entry.path, entry.pid) == (State.RUNNING, "a.b", 7)


def test_runs_are_counted_over_the_lives_of_a_slot() -> None:
    scoreboard = Scoreboard(1)
    for life in range(3):
        slot = scoreboard.slot(0)
        slot.occupy(life + 1)
        slot.begin("a.b", b"", None, False)
        slot.end()
    assert scoreboard.read(0).runs == 3


def _died(number: int) -> ExitStatus:
    return ExitStatus(number)


def test_a_previous_process_is_read_from_the_scoreboard() -> None:
    scoreboard = Scoreboard(1)
    slot = scoreboard.slot(0)
    slot.occupy(1)
    slot.wait()
    segv, kill = _died(signal.SIGSEGV), _died(signal.SIGKILL)
    nothing = PreviousProcess()

    before = previous_process_of(kill, scoreboard.read(0), None, 0, nothing)
    assert (before.outcome, before.reason) == ("not_started", "killed by SIGKILL (out of memory?)")

    slot.begin("a.b", b"one", 1, False)
    entry = scoreboard.read(0)
    first = previous_process_of(segv, entry, None, entry.started + 2, nothing)
    assert (first.outcome, first.reason, first.raw) == ("started", "killed by SIGSEGV", b"one")
    assert first.ran == pytest.approx(2)
    assert first.crashes == 1
    assert previous_process_of(segv, entry, None, 0, first).crashes == 2
    assert (
        previous_process_of(kill, entry, ("timed_out", entry.runs), 0, nothing).outcome
        == "timed_out"
    )
    assert previous_process_of(kill, entry, ("stopped", 0), 0, nothing).outcome == "stopped"

    slot.end()
    assert scoreboard.read(0).state is State.REPORTING
    assert not scoreboard.read(0).has_job
    slot.wait()
    slot.begin("a.b", b"two", 1, False)
    after = previous_process_of(kill, scoreboard.read(0), ("timed_out", entry.runs), 0, nothing)
    assert after.outcome == "stopped", "the job that was over its time had ended: not this one"
    assert previous_process_of(kill, scoreboard.read(0), None, 0, first).crashes == 1

    slot.stop()
    assert previous_process_of(kill, scoreboard.read(0), None, 0, nothing).outcome == "stopped"
