"""Killing children: those over their timeout, those without a sign of life, those that a stop does
not wait for. Each kill is noted with its reason, so that the end of the process is reported right.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence

from dlq.backends.base import Outcome
from dlq.process.posix.fork import kill_group
from dlq.process.scoreboard import Scoreboard, State
from dlq.process.supervisor.child import Child
from dlq.process.supervisor.reporter import Reporter

HELPER_LIMIT = 1.0
"""Seconds for cron and metrics to end: they may wait for a server, and lose nothing when killed."""
IDLE_LIMIT = 2.0
"""Seconds for a worker without a job: only a server that is away can delay it."""
REPORTING_LIMIT = 15.0
"""Seconds for a worker that reports its job to the server. It gives that up before this."""

FOR_THE_STOP = "killed for the stop"


class Termination:
    def __init__(
        self, children: Sequence[Child], scoreboard: Scoreboard, reporter: Reporter
    ) -> None:
        self._children = children
        self._scoreboard = scoreboard
        self._reporter = reporter

    def over_timeout(self) -> None:
        """Kill workers whose job is over its timeout."""
        now = time.monotonic()
        for child in self._children:
            if child.spec.kind != "worker" or child.pid is None or not _may_be_killed(child):
                continue
            if self._scoreboard.deadline(child.spec.slot) <= now:
                self._overdue(child, child.pid)

    def without_sign_of_life(self) -> None:
        """Kill cron, heartbeat and metrics processes that hang."""
        now = time.monotonic()
        for child in self._children:
            limit = child.spec.hang_limit
            if limit is None or child.pid is None or not _may_be_killed(child):
                continue
            silent = now - max(self._scoreboard.read(child.spec.slot).beat, child.since)
            if silent > limit:
                why = f"killed after {silent:.0f} s without a sign of life"
                self._kill(child, child.pid, "stopped", 0, why)

    def no_longer_waited_for(self, stopping: float) -> None:
        """Kill those that a stop, which has lasted `stopping` seconds, no longer waits for. Called
        in each turn, since a job can begin between the look at the scoreboard and the signal."""
        for child in self._children:
            if child.exiting is not None and stopping >= IDLE_LIMIT:
                kill_group(child.exiting)
            if child.pid is not None and self._may_be_cut_short(child, stopping):
                self._kill(child, child.pid, "stopped", 0, FOR_THE_STOP)

    def all(self, but: str = "") -> None:
        """Kill every child, except those of the kind `but`."""
        for child in self._children:
            if child.exiting is not None:
                kill_group(child.exiting)
            if child.pid is not None and child.spec.kind != but and _may_be_killed(child):
                self._kill(child, child.pid, "stopped", 0, FOR_THE_STOP)

    def _overdue(self, child: Child, pid: int) -> None:
        """Stop the process before looking again: a job that ends just now must not be killed, nor
        the one after it."""
        os.kill(pid, signal.SIGSTOP)
        entry = self._scoreboard.read(child.spec.slot)
        if entry.is_running and entry.deadline <= time.monotonic():
            self._kill(child, pid, "timed_out", entry.runs, "killed")
        else:
            os.kill(pid, signal.SIGCONT)

    def _kill(self, child: Child, pid: int, why: Outcome, run: int, why_for_people: str) -> None:
        child.killed, child.killed_as = (why, run), why_for_people
        kill_group(pid)

    def _may_be_cut_short(self, child: Child, stopping: float) -> bool:
        if child.spec.kind == "heartbeat" or not _may_be_killed(child):
            return False
        if child.spec.kind != "worker":
            return stopping >= HELPER_LIMIT
        entry = self._scoreboard.read(child.spec.slot)
        if entry.is_running:
            return entry.sigkill_on_stop
        return stopping >= (REPORTING_LIMIT if entry.state is State.REPORTING else IDLE_LIMIT)


def _may_be_killed(child: Child) -> bool:
    return child.killed is None and not child.is_reporting
