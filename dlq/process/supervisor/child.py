"""One child of the supervisor, as the supervisor sees it: what it is, and how its last process
ended."""

from __future__ import annotations

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
    """`slot` is its place on the board. `start` forks it and gives its pid; `settle` forks a short
    one that says what became of a killed worker's job. `hang_limit`: seconds without a sign of life
    after which it is killed and started anew. `longest_pause`: seconds until it is started again,
    at most, however often it has died young."""

    name: str
    kind: Kind
    slot: int
    start: Callable[[PreviousProcess], int]
    settle: Callable[[PreviousProcess], int] | None = None
    hang_limit: float | None = None
    longest_pause: float = 30.0
    makes_room: bool = False
    """Whether the next process may start when this one has nothing left to do but to end."""


@dataclass(slots=True, eq=False, repr=False)
class Child:
    """`killed` says why the supervisor killed its process, and in which run (counted by the board);
    `killed_as` says it for people. `leaving` is the pid of a process that has made room for the
    next one and has not ended yet."""

    spec: ChildSpec
    pid: int | None = None
    leaving: int | None = None
    since: float = 0.0
    runs_before: int = 0
    may_start: float = 0.0
    backoff: Backoff = field(init=False)
    killed: tuple[Outcome, int] | None = None
    killed_as: str = ""
    previous: PreviousProcess = field(default_factory=PreviousProcess)
    is_settling: bool = False
    is_news: bool = True
    """Whether people are told of its next start: not of one that follows a leave as planned."""

    def __post_init__(self) -> None:
        self.backoff = for_children(self.spec.longest_pause)

    def started(self, pid: int, runs_before: int) -> None:
        self.pid = pid
        self.since = time.monotonic()
        self.runs_before = runs_before
        self.killed, self.killed_as = None, ""

    @property
    def is_there(self) -> bool:
        """Whether a process of it is."""
        return self.pid is not None or self.leaving is not None

    def ended(self, death: ExitStatus, entry: Entry) -> None:
        """Note how its process ended: what its successor is told, and when that may start."""
        now = time.monotonic()
        self.previous = previous_process_of(death, entry, self.killed, now, self.previous)
        has_run = entry.runs > self.runs_before
        is_fine = has_run or self.killed is not None or now - self.since >= YOUNG
        if is_fine or (death.is_clean and self.spec.kind == "worker"):
            self.backoff = self.backoff.worked()
        else:
            self.backoff = self.backoff.failed()
        self.may_start = now + self.backoff.pause
        self.pid = None
        self.is_news = not death.is_clean or entry.has_job


def previous_process_of(
    death: ExitStatus,
    entry: Entry,
    killed: tuple[Outcome, int] | None,
    now: float,
    before: PreviousProcess,
) -> PreviousProcess:
    """Pure. A job that began after the supervisor had made up its mind to kill is not to blame:
    `killed` has the number of the run that was."""
    if not entry.has_job:
        return PreviousProcess("not_started", death.describe())
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
    return PreviousProcess(outcome, death.describe(), ran, entry.raw, crashes)
