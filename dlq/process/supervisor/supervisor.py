"""The supervisor: keeps the children of a plan running until a stop signal.

It is single-threaded and never talks to a server: whatever its children do, it answers a signal at
once. Handlers only note signals; the loop does the work:

    wait → handle signals → reap → kill jobs over their timeout → replace the missing → show life

A stop takes two steps: workers, cron and metrics finish; then the heartbeat process withdraws the
runner, because the workers' numbers must stay theirs until the last worker is gone."""

from __future__ import annotations

import math
import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from dlq.errors import ExitCode
from dlq.primitives.text import counted
from dlq.process.posix.fork import STOP_SIGNAL, kill_group
from dlq.process.posix.signals import STOPS, SignalPipe, is_hangup_ignored
from dlq.process.posix.touch_file import TouchFile
from dlq.process.scoreboard import Entry, Scoreboard, State
from dlq.process.supervisor.child import Child, ChildSpec
from dlq.process.supervisor.code_watch import CodeWatch
from dlq.process.supervisor.exit_status import ExitStatus
from dlq.process.supervisor.reload import Hangup, Reload
from dlq.process.supervisor.reporter import Reporter, describe_end, stop_line
from dlq.process.supervisor.systemd import Notifier
from dlq.process.supervisor.termination import Termination
from dlq.types import Logger

TICK = 1.0
"""Seconds between two looks at the scoreboard, at most: a timeout is noticed that late."""
WITHDRAW_LIMIT = 0.8
"""Seconds for the heartbeat process to withdraw the runner from a server that may be away. Without
that the runner counts as alive for 10 s more, which does no harm."""
SAME_SIGNAL = 0.3
"""Seconds within which a second stop signal is the echo of the first: a terminal signals the whole
foreground group, and a wrapper between it and us passes on what it got."""
READY_TICK = 0.02
"""Seconds between two looks while systemd waits for the workers to be ready."""


def handled_signals() -> tuple[int, ...]:
    """The signals that the supervisor's loop handles. A HUP that nohup ignores stays ignored."""
    hangup = () if is_hangup_ignored() else (signal.SIGHUP,)
    return (*STOPS, *hangup, signal.SIGCHLD)


class Ended(NamedTuple):
    """How it ended: `code` to exit with, or `reload` to become the new code."""

    code: ExitCode
    reload: bool


class Supervisor:
    def __init__(
        self,
        specs: Sequence[ChildSpec],
        scoreboard: Scoreboard,
        signals: SignalPipe,
        logger: Logger,
        *,
        stop_timeout: float | None,
        print_line: Callable[[str], None],
        notifier: Notifier,
        reload: Reload,
        dismiss_heartbeat: Callable[[], None],
        health_file: str | None = None,
        code_watch: CodeWatch | None = None,
    ) -> None:
        self._children = [Child(spec) for spec in specs]
        self._scoreboard = scoreboard
        self._signals = signals
        self._reporter = Reporter(print_line, logger)
        self._termination = Termination(self._children, scoreboard, self._reporter, stop_timeout)
        self._stop_timeout = stop_timeout
        self._notifier = notifier
        self._reload = reload
        self._dismiss_heartbeat = dismiss_heartbeat
        self._code_watch = code_watch
        self._health_file = TouchFile(health_file, logger) if health_file else None
        self._stopping_since: float | None = None
        self._workers_gone_since: float | None = None
        self._hangup = Hangup()
        self._code = ExitCode.DONE
        self._forced = False
        self._reloading = False
        self._killed = 0
        self._is_ready = False
        self._workers = sum(spec.kind == "worker" for spec in specs)

    def run(self) -> Ended:
        self._start_missing()
        while not self._is_over():
            self._handle_signals(self._signals.wait(self._time_to_next_turn()))
            self._reap()
            self._termination.over_timeout()
            self._termination.stuck_between_jobs()
            if self._stopping_since is None:
                self._termination.without_sign_of_life()
                self._detach_exiting()
                self._start_missing()
                self._report_readiness()
                if self._code_watch is not None and self._code_watch.has_changed():
                    self._check_before_reload("the code has changed")
            else:
                self._go_on_stopping()
            self._show_life()
        self._reporter.print_line(
            f"Stopped: {counted(self._workers, 'worker')}, {self._killed} killed."
        )
        return Ended(self._code, self._reloading)

    # Running

    def _start_missing(self) -> None:
        """Fork all first, and report after that: each page of memory that is written between two
        forks is copied."""
        now = time.monotonic()
        missing = [c for c in self._children if c.pid is None and c.may_start <= now]
        for child in missing:
            self._start(child)
        for child in missing:
            if child.pid is not None:
                self._report_start(child)

    def _report_readiness(self) -> None:
        """Report to systemd, once, that every worker has been ready for a job: a worker that cannot
        start, its middleware raising for instance, must not look like a service that runs."""
        if self._is_ready or not all(c.is_ready for c in self._children if _is_worker(c)):
            return
        self._is_ready = True
        self._notifier.ready(counted(self._workers, "worker"))

    def _detach_exiting(self) -> None:
        """Make room for the next process of each worker that only has to end: the system takes as
        long for that as for a fork. At most one such process per worker: an exit handler may
        hang."""
        for child in self._children:
            if child.pid is None or child.exiting is not None or not child.spec.makes_room:
                continue
            if self._scoreboard.state(child.spec.slot) is State.DONE and child.killed is None:
                pid = child.pid
                self._has_ended(child, ExitStatus(0), self._scoreboard.read(child.spec.slot))
                child.pid = pid
                child.detach_exiting(time.monotonic())

    def _start(self, child: Child) -> None:
        runs = self._scoreboard.read(child.spec.slot).runs
        slot = self._scoreboard.slot(child.spec.slot)
        slot.occupy(0)
        slot.note_reason("")
        try:
            pid = child.spec.start(child.previous)
        except OSError as error:
            # No memory or no process is available: both become available as others end.
            child.backoff = child.backoff.failed()
            child.may_start = time.monotonic() + max(1.0, child.backoff.pause)
            self._reporter.log(
                "error", f"{child.spec.name} cannot be started: {error}", "start_failed"
            )
            return
        child.started(pid, runs)

    def _report_start(self, child: Child) -> None:
        name, pid = child.spec.name, child.pid
        if child.reports_start and child.spec.kind != "heartbeat":
            self._reporter.report("info", name, f"started, pid {pid}", "child_started")
        else:
            self._reporter.log("info", f"{name} started, pid {pid}", "child_started")

    def _reap(self) -> None:
        """Reap all that have ended, including orphans that have become our children."""
        while (dead := _next_dead()) is not None:
            child = self._child(dead)
            # The group first, while the dead process still holds its number.
            entry = None
            if child is not None:
                entry = self._scoreboard.read(child.spec.slot)
                if child.spec.kind == "worker" and (entry.has_job or child.killed):
                    kill_group(dead)
            _, status = os.waitpid(dead, 0)
            if child is not None and entry is not None:
                self._has_ended(child, ExitStatus(status), entry)
            elif dead == self._reload.pid:
                self._handle_check(ExitStatus(status))
            else:
                self._exiting_has_ended(dead, ExitStatus(status))

    def _has_ended(self, child: Child, exit_status: ExitStatus, entry: Entry) -> None:
        if child.is_reporting:
            child.pid, child.is_reporting = None, False
            return
        child.ended(exit_status, entry)
        self._report_end(child, exit_status, entry)
        if child.backoff.pause:
            self._scoreboard.slot(child.spec.slot).vacate(child.end)
        stopped_for = child.previous.outcome
        if self._stopping_since is not None and stopped_for in ("stopped", "timed_out"):
            self._report_unfinished(child)
            # By us, or by itself where the signal has reached it before us.
            self._killed += stopped_for == "stopped"

    def _exiting_has_ended(self, pid: int, exit_status: ExitStatus) -> None:
        child = next((child for child in self._children if child.exiting == pid), None)
        if child is None:
            return
        child.exiting = None
        if not exit_status.is_clean and self._stopping_since is None:
            text = f"{exit_status.describe()}, after it had reported everything"
            if child.is_exiting_killed:
                text = "killed: its exit handlers or threads of its jobs did not end"
            self._reporter.report("warning", child.spec.name, text, "child_died")

    def _report_unfinished(self, child: Child) -> None:
        """Report a killed worker's job: while stopping, there is no next process to do it."""
        if child.spec.report_unfinished is None:
            return
        try:
            child.pid = child.spec.report_unfinished(child.previous)
            child.is_reporting = True
        except OSError as error:
            self._reporter.log(
                "error", f"the job of {child.spec.name} cannot be reported: {error}", "start_failed"
            )

    def _report_end(self, child: Child, exit_status: ExitStatus, entry: Entry) -> None:
        name = child.spec.name
        text = describe_end(exit_status, entry, child.previous.outcome, child.killed_as)
        if not entry.has_job and (exit_status.is_clean or self._stopping_since is not None):
            self._reporter.log("info", f"{name} {text}", "child_ended")
            return
        child.end = text
        if child.backoff.pause and self._stopping_since is None:
            text += f"; started again in {child.backoff.pause:g} s"
        # What a stop kills, it kills on purpose.
        level = "warning" if child.previous.outcome == "stopped" else "error"
        self._reporter.report(level, name, text, "child_died")

    def _show_life(self) -> None:
        self._notifier.beat(time.monotonic())
        if self._health_file is not None:
            self._health_file.touch()

    def _time_to_next_turn(self) -> float:
        now = time.monotonic()
        times = [now + min(TICK, self._notifier.watchdog or TICK)]
        if self._notifier.is_listening and not self._is_ready:
            times.append(now + READY_TICK)
        for child in self._children:
            if child.pid is None:
                if self._stopping_since is None:
                    times.append(child.may_start)
            elif child.spec.kind == "worker" and child.killed is None:
                times.append(self._scoreboard.deadline(child.spec.slot))
        if self._stopping_since is not None and not self._forced:
            times.append(self._stopping_since + (self._stop_timeout or math.inf))
        if self._workers_gone_since is not None:
            times.append(self._workers_gone_since + WITHDRAW_LIMIT)
        return max(0.001, min(times) - now)

    # Signals

    def _handle_signals(self, signals: Iterable[int]) -> None:
        for number in signals:
            if number == signal.SIGHUP and self._hangup.is_stop():
                # Not a request to reload: the terminal that we were started from was closed.
                number = signal.SIGTERM
            if number in STOPS:
                self._handle_stop(number)
            elif number == signal.SIGHUP and self._stopping_since is None:
                self._check_before_reload("HUP")

    def _check_before_reload(self, why: str) -> None:
        self._reporter.log("info", f"{why}: checking the configuration", "reload_asked")
        self._notifier.reloading()
        try:
            self._reload.check()
        except OSError as error:
            self._reporter.log("error", f"HUP: the check cannot be run: {error}", "reload_refused")
            self._report_refusal()

    def _report_refusal(self) -> None:
        if self._stopping_since is None and self._is_ready:
            workers = counted(self._workers, "worker")
            self._notifier.ready(f"{workers}; the last reload was refused")

    def _handle_stop(self, number: int) -> None:
        now = time.monotonic()
        if self._stopping_since is None:
            self._reporter.log("info", f"{signal.Signals(number).name}: stopping", "stopping")
            self._begin_to_stop()
        elif self._reloading:
            self._reloading = False
            self._notifier.stopping()
        elif now - self._stopping_since > SAME_SIGNAL and not self._forced:
            self._code = ExitCode.TERMINATED if number == signal.SIGTERM else ExitCode.INTERRUPTED
            self._force_stop()

    def _handle_check(self, exit_status: ExitStatus) -> None:
        refusal = self._reload.outcome(exit_status)
        if refusal is not None:
            # The reason first: it is there when the line is.
            self._reporter.log(
                "error", f"HUP: the configuration is refused: {refusal}", "reload_refused"
            )
            self._reporter.print_line(
                "HUP: the configuration is refused; running on with the old one"
            )
            self._report_refusal()
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
                stop = STOP_SIGNAL if child.spec.kind != "metrics" else signal.SIGTERM
                os.kill(child.pid, stop)
        now = self._stopping_since
        self._reporter.print_line(
            stop_line(self._running_workers(), now, reloading=self._reloading)
        )

    def _go_on_stopping(self) -> None:
        assert self._stopping_since is not None
        now = time.monotonic()
        stopping = now - self._stopping_since
        timeout = math.inf if self._stop_timeout is None else self._stop_timeout
        if stopping >= timeout and not self._forced:
            self._reporter.log("warning", f"STOP_TIMEOUT ({timeout:g} s) is over", "stop_timeout")
            self._force_stop()
        self._termination.no_longer_waited_for(stopping)
        if self._any_left(but="heartbeat"):
            return
        if self._workers_gone_since is None:
            self._workers_gone_since = now
            self._dismiss_heartbeat()
        elif now - self._workers_gone_since >= WITHDRAW_LIMIT:
            self._termination.all()

    def _force_stop(self) -> None:
        """Kill all children that have not ended by themselves."""
        self._forced = True
        self._termination.all(but="heartbeat")

    def _running_workers(self) -> Iterator[tuple[str, Entry]]:
        for child in self._children:
            if child.spec.kind == "worker" and child.pid is not None:
                yield child.spec.name, self._scoreboard.read(child.spec.slot)

    def _any_left(self, but: str = "") -> bool:
        return any(c.is_there and c.spec.kind != but for c in self._children)

    def _is_over(self) -> bool:
        return self._stopping_since is not None and not self._any_left()

    def _child(self, pid: int) -> Child | None:
        return next((child for child in self._children if child.pid == pid), None)


def _is_worker(child: Child) -> bool:
    return child.spec.kind == "worker"


def _next_dead() -> int | None:
    """The pid of a child that has ended and waits to be reaped; None where there is none now."""
    try:
        found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return None if found is None else found.si_pid
