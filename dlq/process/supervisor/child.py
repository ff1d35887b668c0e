"""One child as the supervisor sees it: what it is, and how its last process ended."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

from dlq.backends.base import Outcome, PreviousProcess
from dlq.primitives.backoff import Backoff, for_children
from dlq.process.scoreboard import Entry, State
from dlq.process.supervisor.exit_status import ExitStatus

Kind: TypeAlias = Literal["worker", "cron", "metrics", "heartbeat"]

YOUNG = 10.0
"""Seconds. A child that dies by itself before it is so old, having run nothing, is not started
again at once each time: whatever ended it is still there."""


class ChildSpec(NamedTuple):
    """What the supervisor needs to know to keep a child running.

    `slot` is its index on the scoreboard. `start` forks it and returns its pid; `report_unfinished`
    forks a short process that reports a killed worker's job. `hang_limit`: seconds without a sign
    of life after which it is killed and replaced. `longest_pause`: seconds until it is started
    again, at most, however often it has died young."""

    name: str
    kind: Kind
    slot: int
    start: Callable[[PreviousProcess], int]
    report_unfinished: Callable[[PreviousProcess], int] | None = None
    hang_limit: float | None = None
    longest_pause: float = 30.0
    start_limit: float = math.inf
    """Seconds until a worker is ready for its first job. It is killed and replaced after that."""
    makes_room: bool = False
    """Whether the next process may start while this one runs its exit handlers."""


@dataclass(slots=True, eq=False, repr=False)
class Child:
    """A child and its current process.

    `killed` says why the supervisor killed that process, and in which run (counted by the
    scoreboard); `killed_as` says it for people. `exiting` is the pid of an earlier process that has
    made room for this one and has not ended yet."""

    spec: ChildSpec
    pid: int | None = None
    exiting: int | None = None
    exiting_since: float = 0.0
    is_exiting_killed: bool = False
    since: float = 0.0
    runs_before: int = 0
    may_start: float = 0.0
    backoff: Backoff = field(init=False)
    killed: tuple[Outcome, int] | None = None
    killed_as: str = ""
    previous: PreviousProcess = field(default_factory=PreviousProcess)
    is_reporting: bool = False
    end: str = ""
    """How its last process ended, in words."""
    reports_start: bool = True
    """Whether its next start is reported to people: a start after a planned exit is not."""

    is_ready: bool = False
    """Whether one of its processes has been ready for a job."""
    in_state: tuple[State, int] | None = None
    """The last state that was observed, and the pid of the process."""
    in_state_since: float = 0.0

    def __post_init__(self) -> None:
        self.backoff = for_children(self.spec.longest_pause)

    def started(self, pid: int, runs_before: int) -> None:
        self.pid = pid
        self.since = time.monotonic()
        self.runs_before = runs_before
        self.killed, self.killed_as = None, ""

    def observe(self, state: State, now: float) -> State:
        """Note the state of its process, and since when it is in it."""
        if (state, self.pid) != self.in_state:
            self.in_state, self.in_state_since = (state, self.pid or 0), now
            self.is_ready = self.is_ready or state is not State.STARTING
        return state

    def detach_exiting(self, now: float) -> None:
        """Make room: the current process has nothing left to do but to end."""
        self.exiting, self.exiting_since, self.is_exiting_killed = self.pid, now, False
        self.pid = None

    @property
    def is_there(self) -> bool:
        """Whether it has a process."""
        return self.pid is not None or self.exiting is not None

    def ended(self, exit_status: ExitStatus, entry: Entry) -> None:
        """Note how its process ended: what the next one gets to know, and when that may start."""
        now = time.monotonic()
        self.previous = previous_process_of(exit_status, entry, self.killed, now, self.previous)
        has_run = entry.runs > self.runs_before
        is_healthy = has_run or self.killed is not None or now - self.since >= YOUNG
        if is_healthy or (exit_status.is_clean and self.spec.kind == "worker"):
            self.backoff = self.backoff.worked()
        else:
            self.backoff = self.backoff.failed()
        self.may_start = now + self.backoff.pause
        self.pid = None
        self.reports_start = not exit_status.is_clean or entry.has_job


def previous_process_of(
    exit_status: ExitStatus,
    entry: Entry,
    killed: tuple[Outcome, int] | None,
    now: float,
    before: PreviousProcess,
) -> PreviousProcess:
    """Return what the next process gets to know. Pure. A job that began after the supervisor had
    decided to kill is not to blame: `killed` has the number of the run that was."""
    if not entry.has_job:
        return PreviousProcess("not_started", exit_status.describe())
    outcome: Outcome = "started"
    if entry.state is State.STOPPED:
        outcome = "stopped"
    elif killed is not None:
        why, run = killed
        outcome = why if why == "stopped" or entry.runs == run else "stopped"
    ran = now - entry.started
    if outcome != "started":
        return PreviousProcess(outcome, "", ran, entry.raw)
    crashes = before.crashes + 1 if entry.raw is not None and entry.raw == before.raw else 1
    return PreviousProcess(outcome, exit_status.describe(), ran, entry.raw, crashes)
