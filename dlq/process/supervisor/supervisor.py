"""The supervisor: keeps the children of a plan running, until it is told to stop.

Single-threaded, and it never talks to a server: whatever its children do, it answers a signal at
once. Handlers only note signals; the loop does the work:

    wait → heed signals → reap → kill jobs over their time → replace who is missing → show life

A stop goes in two steps: workers, cron and metrics finish; then the heartbeat process says
good-bye, because until the last worker is gone their numbers must stay theirs."""

from __future__ import annotations

import math
import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from dlq.errors import ExitCode
from dlq.process.posix import fork as host
from dlq.process.posix.signals import SignalPipe
from dlq.process.posix.touch_file import TouchFile
from dlq.process.scoreboard import Entry, Scoreboard, State
from dlq.process.supervisor.child import Child, ChildSpec
from dlq.process.supervisor.exit_status import ExitStatus
from dlq.process.supervisor.log_lines import count, end_of, stop_line
from dlq.process.supervisor.reload import Reload
from dlq.process.supervisor.reporter import Reporter
from dlq.process.supervisor.systemd import Notifier
from dlq.process.supervisor.termination import Termination
from dlq.types import Logger

TICK = 1.0
"""Seconds between two looks at the board, at most: a timeout is noticed that late."""
KEEPER_LIMIT = 0.8
"""Seconds for the heartbeat process's good-bye to a server that may be away. Without it the runner
counts as alive for 10 s more, no harm done."""
SAME_SIGNAL = 0.3
"""Seconds within which a second stop signal is the echo of the first: a terminal signals the whole
foreground group, and a wrapper between it and us passes on what it got."""
STOPS = (signal.SIGTERM, signal.SIGINT)
HEEDED = (*STOPS, signal.SIGHUP, signal.SIGCHLD)


class Ended(NamedTuple):
    """How it ended: `code` to exit with, or `reload` to become the new code."""

    code: ExitCode
    reload: bool


class Supervisor:
    def __init__(
        self,
        specs: Sequence[ChildSpec],
        board: Scoreboard,
        wakeup: SignalPipe,
        logger: Logger,
        *,
        stop_timeout: float | None,
        announce: Callable[[str], None],
        notifier: Notifier,
        reload: Reload,
        dismiss_keeper: Callable[[], None],
        health_file: str | None = None,
    ) -> None:
        self._children = [Child(spec) for spec in specs]
        self._board = board
        self._wakeup = wakeup
        self._voice = Reporter(announce, logger)
        self._killing = Termination(self._children, board, self._voice)
        self._stop_timeout = stop_timeout
        self._notifier = notifier
        self._reload = reload
        self._dismiss_keeper = dismiss_keeper
        self._health_file = TouchFile(health_file, logger) if health_file else None
        self._stopping_since: float | None = None
        self._workers_gone_since: float | None = None
        self._has_terminal = os.isatty(0)
        self._code = ExitCode.DONE
        self._hurried = False
        self._reloading = False
        self._killed = 0
        self._workers = sum(spec.kind == "worker" for spec in specs)

    def run(self) -> Ended:
        self._start_missing()
        self._notifier.ready(count(self._workers, "worker"))
        while not self._is_over():
            news = self._wakeup.wait(self._until_next_turn())
            self._heed(news)
            self._reap()
            self._killing.over_their_time()
            if self._stopping_since is None:
                self._killing.without_life()
                self._take_leave()
                self._start_missing()
            else:
                self._go_on_stopping()
            self._show_life()
        self._voice.announce(f"Stopped: {count(self._workers, 'worker')}, {self._killed} killed.")
        return Ended(self._code, self._reloading)

    # Running

    def _start_missing(self) -> None:
        """All first, and the word about it after that: each page of memory that is written between
        two forks is copied."""
        now = time.monotonic()
        missing = [c for c in self._children if c.pid is None and c.may_start <= now]
        for child in missing:
            self._start(child)
        for child in missing:
            if child.pid is not None:
                self._tell_of_start(child)

    def _take_leave(self) -> None:
        """Of workers that have nothing left to do but to end: the system takes as long for that as
        for a fork, and the next process need not wait for it. One at a time: an exit handler may
        hang."""
        for child in self._children:
            if child.pid is None or child.leaving is not None or not child.spec.makes_room:
                continue
            if self._board.state(child.spec.slot) is State.DONE and child.killed is None:
                pid = child.pid
                self._has_ended(child, ExitStatus(0), self._board.read(child.spec.slot))
                child.leaving = pid

    def _start(self, child: Child) -> None:
        runs = self._board.read(child.spec.slot).runs
        self._board.slot(child.spec.slot).occupy(0)
        try:
            pid = child.spec.start(child.previous)
        except OSError as error:
            # No memory or no process to be had: children end, and it will get better.
            child.backoff = child.backoff.failed()
            child.may_start = time.monotonic() + max(1.0, child.backoff.pause)
            self._voice.log(
                "error", f"{child.spec.name} cannot be started: {error}", "start_failed"
            )
            return
        child.started(pid, runs)

    def _tell_of_start(self, child: Child) -> None:
        name, pid = child.spec.name, child.pid
        if child.is_news and child.spec.kind != "heartbeat":
            self._voice.tell("info", name, f"started, pid {pid}", "child_started")
        else:
            self._voice.log("info", f"{name} started, pid {pid}", "child_started")

    def _reap(self) -> None:
        """Everybody who has ended, orphans included that have become our children."""
        while (dead := _next_dead()) is not None:
            child = self._child(dead)
            # The group first, while the dead process still holds its number.
            entry = None
            if child is not None:
                entry = self._board.read(child.spec.slot)
                if child.spec.kind == "worker" and (entry.has_job or child.killed):
                    host.kill_group(dead)
            _, status = os.waitpid(dead, 0)
            if child is not None and entry is not None:
                self._has_ended(child, ExitStatus(status), entry)
            elif dead == self._reload.pid:
                self._heed_validation(ExitStatus(status))
            else:
                self._has_left(dead, ExitStatus(status))

    def _has_ended(self, child: Child, death: ExitStatus, entry: Entry) -> None:
        if child.is_settling:
            child.pid, child.is_settling = None, False
            return
        child.ended(death, entry)
        self._tell_of_end(child, death, entry)
        if child.backoff.pause:
            self._board.slot(child.spec.slot).vacate()
        stopped_for = child.previous.outcome
        if self._stopping_since is not None and stopped_for in ("stopped", "timed_out"):
            self._settle(child)
            # By us, or by itself where the signal has reached it before us.
            self._killed += stopped_for == "stopped"

    def _has_left(self, pid: int, death: ExitStatus) -> None:
        child = next((child for child in self._children if child.leaving == pid), None)
        if child is None:
            return
        child.leaving = None
        if not death.is_clean and self._stopping_since is None:
            told = f"{death.describe()}, after it had left"
            self._voice.tell("warning", child.spec.name, told, "child_died")

    def _settle(self, child: Child) -> None:
        """While stopping, no successor will say what became of a killed worker's job."""
        if child.spec.settle is None:
            return
        try:
            child.pid = child.spec.settle(child.previous)
            child.is_settling = True
        except OSError as error:
            self._voice.log(
                "error", f"{child.spec.name} cannot be settled for: {error}", "start_failed"
            )

    def _tell_of_end(self, child: Child, death: ExitStatus, entry: Entry) -> None:
        name = child.spec.name
        told = end_of(death, entry, child.previous.outcome, child.killed_as)
        if not entry.has_job and (death.is_clean or self._stopping_since is not None):
            self._voice.log("info", f"{name} {told}", "child_ended")
            return
        if child.backoff.pause and self._stopping_since is None:
            told += f"; started again in {child.backoff.pause:g} s"
        # What a stop kills, on purpose, is nobody's mistake.
        level = "warning" if child.previous.outcome == "stopped" else "error"
        self._voice.tell(level, name, told, "child_died")

    def _show_life(self) -> None:
        self._notifier.beat(time.monotonic())
        if self._health_file is not None:
            self._health_file.touch()

    def _until_next_turn(self) -> float:
        now = time.monotonic()
        times = [now + min(TICK, self._notifier.watchdog or TICK)]
        for child in self._children:
            if child.pid is None:
                if self._stopping_since is None:
                    times.append(child.may_start)
            elif child.spec.kind == "worker" and child.killed is None:
                times.append(self._board.deadline(child.spec.slot))
        if self._stopping_since is not None and not self._hurried:
            times.append(self._stopping_since + (self._stop_timeout or math.inf))
        if self._workers_gone_since is not None:
            times.append(self._workers_gone_since + KEEPER_LIMIT)
        return max(0.001, min(times) - now)

    # Signals

    def _heed(self, news: Iterable[int]) -> None:
        for number in news:
            if number == signal.SIGHUP and self._has_terminal and not os.isatty(0):
                # Not a wish for a reload: the terminal that we were started from has been closed.
                number = signal.SIGTERM
            if number in STOPS:
                self._heed_stop(number)
            elif number == signal.SIGHUP and self._stopping_since is None:
                self._check_before_reload()

    def _check_before_reload(self) -> None:
        self._voice.log("info", "HUP: checking the configuration", "reload_asked")
        self._notifier.reloading()
        try:
            self._reload.check()
        except OSError as error:
            self._voice.log("error", f"HUP: the check cannot be run: {error}", "reload_refused")
            self._notify_refusal()

    def _notify_refusal(self) -> None:
        if self._stopping_since is None:
            workers = count(self._workers, "worker")
            self._notifier.ready(f"{workers}; the last reload was refused")

    def _heed_stop(self, number: int) -> None:
        now = time.monotonic()
        if self._stopping_since is None:
            self._voice.log("info", f"{signal.Signals(number).name}: stopping", "stopping")
            self._begin_to_stop()
        elif self._reloading:
            self._reloading = False
            self._notifier.stopping()
        elif now - self._stopping_since > SAME_SIGNAL and not self._hurried:
            self._code = ExitCode.TERMINATED if number == signal.SIGTERM else ExitCode.INTERRUPTED
            self._hurry()

    def _heed_validation(self, death: ExitStatus) -> None:
        refusal = self._reload.outcome(death)
        if refusal is not None:
            self._voice.announce("HUP: the configuration is refused; running on with the old one")
            self._voice.log(
                "error", f"HUP: the configuration is refused: {refusal}", "reload_refused"
            )
            self._notify_refusal()
        elif self._stopping_since is None:
            self._reloading = True
            self._begin_to_stop()

    # Stopping

    def _begin_to_stop(self) -> None:
        self._stopping_since = time.monotonic()
        if not self._reloading:
            self._notifier.stopping()
        for child in self._children:
            if child.pid is not None and child.spec.kind != "heartbeat":
                stop = host.STOP_SIGNAL if child.spec.kind != "metrics" else signal.SIGTERM
                os.kill(child.pid, stop)
        now = self._stopping_since
        self._voice.announce(stop_line(self._running_workers(), now, reloading=self._reloading))

    def _go_on_stopping(self) -> None:
        assert self._stopping_since is not None
        now = time.monotonic()
        stopping = now - self._stopping_since
        timeout = math.inf if self._stop_timeout is None else self._stop_timeout
        if stopping >= timeout and not self._hurried:
            self._voice.log("warning", f"STOP_TIMEOUT ({timeout:g} s) is over", "stop_timeout")
            self._hurry()
        self._killing.not_waited_for(stopping)
        if self._any_left(but="heartbeat"):
            return
        if self._workers_gone_since is None:
            self._workers_gone_since = now
            self._dismiss_keeper()
        elif now - self._workers_gone_since >= KEEPER_LIMIT:
            self._killing.all()

    def _hurry(self) -> None:
        """Kill what has not ended by itself."""
        self._hurried = True
        self._killing.all(but="heartbeat")

    def _running_workers(self) -> Iterator[tuple[str, Entry]]:
        for child in self._children:
            if child.spec.kind == "worker" and child.pid is not None:
                yield child.spec.name, self._board.read(child.spec.slot)

    def _any_left(self, but: str = "") -> bool:
        return any(c.is_there and c.spec.kind != but for c in self._children)

    def _is_over(self) -> bool:
        return self._stopping_since is not None and not self._any_left()

    def _child(self, pid: int) -> Child | None:
        return next((child for child in self._children if child.pid == pid), None)


def _next_dead() -> int | None:
    """The pid of a child that has ended and waits to be reaped; None where there is none now."""
    try:
        found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return None if found is None else found.si_pid
