"""What the supervisor tells people: one line for each end of a child and for the beginning of a
stop. Pure."""

from __future__ import annotations

import signal
from collections.abc import Iterable

from dlq.backends.base import Outcome
from dlq.primitives.text import printable
from dlq.process.scoreboard import Entry
from dlq.process.supervisor.exit_status import ExitStatus

SHOWN = 5
"""Jobs that the line of a stop names, at most."""


def end_of(death: ExitStatus, entry: Entry, outcome: Outcome, killed_as: str = "") -> str:
    """`killed by SIGSEGV while it ran orders.tasks.confirm`. `killed_as`: where the supervisor
    itself killed it, why."""
    if not entry.has_job:
        return killed_as if killed_as and death.signal == signal.SIGKILL else death.describe()
    job = printable(entry.path)
    if outcome == "timed_out":
        return f"killed: {job} ran longer than its timeout"
    if outcome == "stopped":
        return f"killed for the stop while it ran {job}; the job is run again"
    return f"{death.describe()} while it ran {job}"


def stop_line(entries: Iterable[tuple[str, Entry]], now: float, *, reloading: bool) -> str:
    """Whom a stop waits for: workers, by name, whose job may not be killed for it."""
    verb = "Reloading" if reloading else "Stopping"
    waits_for = [
        f"{name} {printable(entry.path)}, {now - entry.started:.0f} s"
        for name, entry in entries
        if entry.is_running and not entry.sigkill_on_stop
    ]
    if not waits_for:
        return f"{verb}."
    shown = "; ".join(waits_for[:SHOWN]) + ("; …" if len(waits_for) > SHOWN else "")
    them = "it" if len(waits_for) == 1 else "them"
    jobs = count(len(waits_for), "job")
    return f"{verb}. Waiting for {jobs}: {shown}. Ctrl-C again to kill {them}."


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
