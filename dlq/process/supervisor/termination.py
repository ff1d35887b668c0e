"""Killing children: those over their timeout, those without a sign of life, those that a stop does
not wait for. Each kill is noted with its reason, so that the end of the process is reported right.
"""

from __future__ import annotations

import math
import os
import signal
import time
from collections.abc import Sequence

from dlq.backends.base import Outcome
from dlq.diagnostics.rules import processes as rules
from dlq.process.posix.fork import kill_group, other_threads
from dlq.process.scoreboard import Scoreboard, State
from dlq.process.supervisor.child import Child, ChildSpec
from dlq.process.supervisor.reporter import Reporter

HELPER_LIMIT = 1.0
"""Seconds for cron and metrics to end: they may wait for a server, and lose nothing when killed."""
IDLE_LIMIT = 2.0
"""Seconds for a worker without a job: only a server that is away can delay it."""
REPORTING_LIMIT = 15.0
"""Seconds for a worker that reports its job to the server. It gives that up before this."""

TIDYING_LIMIT = 5.0
"""Seconds for a worker between the report of one job and its readiness for the next."""
CLOSING_LIMIT = 15.0
"""Seconds for an exiting worker to return prefetched jobs and close its connections."""
EXIT_LIMIT = 10.0
"""Seconds for exit handlers and threads of jobs, where STOP_TIMEOUT is None and the end of the
process is waited for: by a stop, or by the next process of its number."""

FOR_THE_STOP = "killed for the stop"

_STUCK = {
    State.STARTING: "did not get ready",
    State.TIDYING: "did not get ready for its next job",
    State.LEFT: "did not close its connections",
    State.DONE: "did not end its exit handlers and threads",
}
"""The state of a process that hangs, and what it did not do."""


class Termination:
    def __init__(
        self,
        children: Sequence[Child],
        scoreboard: Scoreboard,
        reporter: Reporter,
        stop_timeout: float | None,
    ) -> None:
        self._children = children
        self._scoreboard = scoreboard
        self._reporter = reporter
        self._exit_limit = EXIT_LIMIT if stop_timeout is None else stop_timeout
        self._joins_at_most = math.inf if stop_timeout is None else stop_timeout

    def over_timeout(self) -> None:
        """Kill workers whose job is over its timeout."""
        now = time.monotonic()
        for child in self._children:
            if child.spec.kind != "worker" or child.pid is None or not _may_be_killed(child):
                continue
            if self._scoreboard.deadline(child.spec.slot) <= now:
                self._overdue(child, child.pid)

    def stuck_between_jobs(self) -> None:
        """Kill workers that hang where no job runs: at their start, after a job, at their end. None
        of these steps waits for a server, but CLOSING, whose waits are bounded."""
        now = time.monotonic()
        for child in self._children:
            if child.spec.kind != "worker":
                continue
            if child.exiting is not None and now - child.exiting_since > self._joins_at_most:
                self._kill_exiting(child)
            if child.pid is None or not _may_be_killed(child):
                continue
            state = child.observe(self._scoreboard.state(child.spec.slot), now)
            if now - child.in_state_since > self._limit_of(state, child.spec):
                self._kill_stuck(child, child.pid, state)

    def _limit_of(self, state: State, spec: ChildSpec) -> float:
        if state is State.STARTING:
            return spec.start_limit
        if state is State.TIDYING:
            return TIDYING_LIMIT
        if state is State.LEFT:
            return CLOSING_LIMIT
        return self._exit_limit if state is State.DONE else math.inf

    def _kill_stuck(self, child: Child, pid: int, state: State) -> None:
        limit = self._limit_of(state, child.spec)
        if state is State.DONE and child.spec.makes_room:
            # It waits for the process before it to end; after that it makes room itself.
            self._kill_exiting(child)
            return
        why = f"killed: it {_STUCK[state]} within {limit:g} s"
        if state is State.STARTING and (threads := other_threads()):
            why += (
                f"; threads ran in the supervisor when it forked ({', '.join(threads)}), and a lock"
                f" that one of them held stays locked: see dlq explain {rules.W406.id}"
            )
        self._kill(child, pid, "stopped", 0, why)

    def _kill_exiting(self, child: Child) -> None:
        if child.exiting is not None and not child.is_exiting_killed:
            child.is_exiting_killed = True
            kill_group(child.exiting)

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
            if child.exiting is not None and stopping >= self._exit_limit:
                self._kill_exiting(child)
            if child.pid is not None and self._may_be_cut_short(child, stopping):
                self._kill(child, child.pid, "stopped", 0, FOR_THE_STOP)

    def all(self, but: str = "") -> None:
        """Kill every child, except those of the kind `but`."""
        for child in self._children:
            self._kill_exiting(child)
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
        if entry.state is State.REPORTING:
            return stopping >= REPORTING_LIMIT
        return stopping >= (self._exit_limit if entry.state is State.DONE else IDLE_LIMIT)


def _may_be_killed(child: Child) -> bool:
    return child.killed is None and not child.is_reporting
