"""Killing children: those over their time, those that show no life, those that a stop won't
wait for. Each kill is noted with its reason, so that the end of the process is told as what it was.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence

from dlq.backends.base import Outcome
from dlq.process.posix import fork as host
from dlq.process.scoreboard import Scoreboard, State
from dlq.process.supervisor.child import Child
from dlq.process.supervisor.reporter import Reporter

HELPER_LIMIT = 1.0
"""Seconds for cron and metrics to end: they may wait for a server, and lose nothing when killed."""
IDLE_LIMIT = 2.0
"""Seconds for a worker with nothing in hand: only a server that is away can hold it up."""
SETTLING_LIMIT = 15.0
"""Seconds for a worker that tells the server how its job ended. It gives that up before this."""

FOR_THE_STOP = "killed for the stop"


class Termination:
    def __init__(self, children: Sequence[Child], board: Scoreboard, voice: Reporter) -> None:
        self._children = children
        self._board = board
        self._voice = voice

    def over_their_time(self) -> None:
        """Workers whose job is."""
        now = time.monotonic()
        for child in self._children:
            if child.spec.kind != "worker" or child.pid is None or not _may_be_killed(child):
                continue
            if self._board.deadline(child.spec.slot) <= now:
                self._overdue(child, child.pid)

    def without_life(self) -> None:
        """Helpers that hang."""
        now = time.monotonic()
        for child in self._children:
            limit = child.spec.hang_limit
            if limit is None or child.pid is None or not _may_be_killed(child):
                continue
            silent = now - max(self._board.read(child.spec.slot).beat, child.since)
            if silent > limit:
                why = f"killed after {silent:.0f} s without a sign of life"
                self._kill(child, child.pid, "stopped", 0, why)

    def not_waited_for(self, stopping: float) -> None:
        """Whom a stop that has lasted so many seconds waits for no longer. To be called again and
        again, since a job can begin between the look at the board and the signal."""
        for child in self._children:
            if child.leaving is not None and stopping >= IDLE_LIMIT:
                host.kill_group(child.leaving)
            if child.pid is not None and self._need_not_be_waited_for(child, stopping):
                self._kill(child, child.pid, "stopped", 0, FOR_THE_STOP)

    def all(self, but: str = "") -> None:
        for child in self._children:
            if child.leaving is not None:
                host.kill_group(child.leaving)
            if child.pid is not None and child.spec.kind != but and _may_be_killed(child):
                self._kill(child, child.pid, "stopped", 0, FOR_THE_STOP)

    def _overdue(self, child: Child, pid: int) -> None:
        """Stop it before looking again: a job that ends just now must not be killed, nor the one
        after it."""
        os.kill(pid, signal.SIGSTOP)
        entry = self._board.read(child.spec.slot)
        if entry.is_running and entry.deadline <= time.monotonic():
            self._kill(child, pid, "timed_out", entry.runs, "killed")
        else:
            os.kill(pid, signal.SIGCONT)

    def _kill(self, child: Child, pid: int, why: Outcome, run: int, told: str) -> None:
        child.killed, child.killed_as = (why, run), told
        host.kill_group(pid)

    def _need_not_be_waited_for(self, child: Child, stopping: float) -> bool:
        if child.spec.kind == "heartbeat" or not _may_be_killed(child):
            return False
        if child.spec.kind != "worker":
            return stopping >= HELPER_LIMIT
        entry = self._board.read(child.spec.slot)
        if entry.is_running:
            return entry.sigkill_on_stop
        return stopping >= (SETTLING_LIMIT if entry.state is State.SETTLING else IDLE_LIMIT)


def _may_be_killed(child: Child) -> bool:
    return child.killed is None and not child.is_settling
