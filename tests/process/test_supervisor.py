"""The supervisor with children of the test's own, so that no server and no job is in the way."""

from __future__ import annotations

import logging
import math
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from dlq.backends.base import PreviousProcess
from dlq.backends.redis_storage.fleet.heartbeats import ALIVE_FOR
from dlq.process.heartbeat import BEAT_EVERY
from dlq.process.launcher import HEARTBEAT_PAUSE
from dlq.process.posix.fork import fork
from dlq.process.posix.signals import SignalPipe
from dlq.process.scoreboard import Scoreboard
from dlq.process.supervisor.child import ChildSpec, Kind
from dlq.process.supervisor.reload import Reload
from dlq.process.supervisor.supervisor import Supervisor, handled_signals
from dlq.process.supervisor.systemd import Notifier
from tests.kit.ledger import VARIABLE, Ledger, record
from tests.kit.runner import is_alive
from tests.kit.waiting import wait_until


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    ledger = Ledger(tmp_path / "ledger")
    monkeypatch.setenv(VARIABLE, str(ledger.path))
    return ledger


@contextmanager
def supervisor(
    run: Callable[[], int],
    *,
    hang_limit: float | None = None,
    longest_pause: float = 30.0,
    kind: Kind = "cron",
    start_limit: float = math.inf,
    before_fork: Callable[[Callable[[], int]], Callable[[], int]] = lambda run: run,
    print_line: Callable[[str], None] = lambda line: None,
) -> Iterator[int]:
    """A supervisor, in a process of its own, of one child that calls `run`; its pid. It is killed
    at the end where it hasn't stopped by itself."""

    def specify(start: Callable[[PreviousProcess], int]) -> ChildSpec:
        return ChildSpec(
            "child",
            kind,
            0,
            start,
            hang_limit=hang_limit,
            longest_pause=longest_pause,
            start_limit=start_limit,
        )

    pid = os.fork()
    if pid == 0:
        os.setsid()
        code = 1
        try:
            code = _supervise(run, specify, print_line, before_fork)
        finally:
            os._exit(code)
    try:
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _supervise(
    run: Callable[[], int],
    specify: Callable[[Callable[[PreviousProcess], int]], ChildSpec],
    print_line: Callable[[str], None],
    before_fork: Callable[[Callable[[], int]], Callable[[], int]],
) -> int:
    with SignalPipe(handled_signals()) as signals:

        def start(previous: PreviousProcess) -> int:
            return fork(before_fork(run), stop_signal=signal.SIGTERM, close=signals.fds)

        ended = Supervisor(
            [specify(start)],
            Scoreboard(1),
            signals,
            logging.getLogger("tests"),
            stop_timeout=None,
            print_line=print_line,
            notifier=Notifier({}, os.getpid()),
            reload=Reload(),
            dismiss_heartbeat=lambda: None,
        ).run()
    record("stopped")
    return ended.code


def sleeps() -> int:
    record("start")
    time.sleep(60)
    return 0


def fails() -> int:
    record("start")
    return 1


def test_a_child_that_shows_no_life_is_killed_and_replaced(ledger: Ledger) -> None:
    with supervisor(sleeps, hang_limit=0.5):
        wait_until(lambda: len(ledger.events("start")) == 3, 8)
        pids = [event.pid for event in ledger.events("start")]
        assert not is_alive(pids[0])
        assert not is_alive(pids[1])


def test_a_worker_that_hangs_at_its_start_is_replaced(ledger: Ledger) -> None:
    """The report names the threads of the supervisor, one of which may have held a lock."""

    def hangs_on_a_lock() -> int:
        record("start")
        with lock:
            return 0

    def print_line(line: str) -> None:
        record("line", line)

    lock = threading.Lock()
    release = threading.Event()

    def hold_the_lock() -> None:
        with lock:
            release.wait()

    def with_a_thread(run: Callable[[], int]) -> Callable[[], int]:
        """Started in the supervisor, by its first fork."""
        if not [thread for thread in threading.enumerate() if thread.name == "exporter"]:
            threading.Thread(target=hold_the_lock, name="exporter", daemon=True).start()
        return run

    with supervisor(
        hangs_on_a_lock,
        before_fork=with_a_thread,
        kind="worker",
        start_limit=0.5,
        print_line=print_line,
    ):
        wait_until(lambda: len(ledger.events("start")) >= 2, 8)
        wait_until(lambda: len(ledger.jobs("line")) >= 2, 8)
    end = ledger.jobs("line")[1]
    assert "killed: it did not get ready within 0.5 s" in end
    assert "exporter" in end


def test_the_report_names_who_killed_it(ledger: Ledger) -> None:
    """The supervisor, for a reason; or somebody else, who may have been the kernel."""

    def print_line(line: str) -> None:
        record("line", line)

    with supervisor(sleeps, hang_limit=0.5, print_line=print_line):
        wait_until(lambda: len(ledger.jobs("line")) >= 2, 8)
    _, end = ledger.jobs("line")[:2]
    assert re.fullmatch(r"child \| killed after \d+ s without a sign of life", end)

    ledger.path.write_text("")
    with supervisor(sleeps, print_line=print_line):
        [event] = wait_until(lambda: ledger.events("start"))
        os.kill(event.pid, signal.SIGKILL)
        wait_until(lambda: len(ledger.jobs("line")) >= 2, 8)
    _, end = ledger.jobs("line")[:2]
    assert end == "child | killed by SIGKILL (out of memory?)"


def test_a_child_that_dies_young_is_started_again_in_growing_pauses(ledger: Ledger) -> None:
    with supervisor(fails):
        wait_until(lambda: len(ledger.events("start")) == 4, 8)
        times = [event.at for event in ledger.events("start")]
        first, second, third = (later - earlier for earlier, later in pairwise(times))
        assert first < 0.5
        assert 0.9 < second < 2
        assert 1.9 < third < 3.5


def test_the_pauses_of_a_child_grow_no_longer_than_they_may(ledger: Ledger) -> None:
    """Without its heartbeat process a runner would soon count as dead."""
    with supervisor(fails, longest_pause=1.0):
        wait_until(lambda: len(ledger.events("start")) == 5, 8)
        times = [event.at for event in ledger.events("start")]
        pauses = [later - earlier for earlier, later in pairwise(times)]
        assert pauses[0] < 0.5
        assert all(0.9 < pause < 1.9 for pause in pauses[1:])
    assert HEARTBEAT_PAUSE + BEAT_EVERY < ALIVE_FOR


def test_a_signal_in_the_child_does_not_reach_the_supervisor(ledger: Ledger) -> None:
    """What is written into the supervisor's pipe must come from the supervisor's own signals."""
    with supervisor(sleeps) as pid:
        [event] = wait_until(lambda: ledger.events("start"))
        os.kill(event.pid, signal.SIGHUP)
        wait_until(lambda: len(ledger.events("start")) == 2)
        assert is_alive(pid)
        assert not ledger.events("stopped")


def test_children_die_with_their_supervisor(ledger: Ledger) -> None:
    with supervisor(sleeps) as pid:
        [event] = wait_until(lambda: ledger.events("start"))
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not is_alive(event.pid), 2)
