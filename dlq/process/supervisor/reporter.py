"""The supervisor's reports: lines for the people at its terminal, records for the log.

Some facts are both, and where the project's logging writes to the console they would appear there
twice. Then the record wins, since the project has chosen its form; where nothing listens to the
logger but Python's last resort, the line wins.
"""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Callable, Iterable, Iterator

from dlq.backends.base import Outcome
from dlq.primitives.text import counted, printable
from dlq.process.scoreboard import Entry
from dlq.process.supervisor.exit_status import ExitStatus
from dlq.types import Logger

NAMED_JOBS = 5
"""Jobs that the line of a stop names, at most."""


class Reporter:
    """`print_line` prints a line for people. Records carry `action`, a word for machines."""

    def __init__(self, print_line: Callable[[str], None], logger: Logger) -> None:
        self.print_line = print_line
        self._logger = logger

    def log(self, level: str, message: str, action: str) -> None:
        getattr(self._logger, level)("%s", message, extra={"action": action})

    def report(self, level: str, name: str, text: str, action: str) -> None:
        """Report a fact about the child `name` to people and to the log."""
        if not reaches_console(self._logger, level):
            self.print_line(f"{name} | {text}")
        if not has_no_handlers(self._logger):
            self.log(level, f"{name} {text}", action)


def has_no_handlers(logger: Logger) -> bool:
    """Whether no handler receives this logger's records."""
    return isinstance(logger, logging.Logger) and not logger.hasHandlers()


def reaches_console(logger: Logger, level: str) -> bool:
    """Whether a record of this level is written to this process's own output. It cannot be known
    for a logger that is not Python's."""
    if not isinstance(logger, logging.Logger):
        return False
    number = logging.getLevelNamesMapping()[level.upper()]
    return logger.isEnabledFor(number) and any(
        handler.level <= number and _writes_to_console(handler) for handler in _handlers(logger)
    )


def _handlers(logger: logging.Logger) -> Iterator[logging.Handler]:
    at: logging.Logger | None = logger
    while at is not None:
        yield from at.handlers
        at = at.parent if at.propagate else None


def _writes_to_console(handler: logging.Handler) -> bool:
    """The standard handler has a stream, and rich's a console with a file."""
    stream = getattr(handler, "stream", None) or getattr(
        getattr(handler, "console", None), "file", None
    )
    return stream is not None and stream in (
        *(sys.stdout, sys.stderr),
        *(sys.__stdout__, sys.__stderr__),
    )


def describe_end(
    exit_status: ExitStatus, entry: Entry, outcome: Outcome, killed_as: str = ""
) -> str:
    """Describe the end of a child: `killed by SIGSEGV while it ran orders.tasks.confirm`.
    `killed_as` says why where the supervisor itself killed it."""
    if not entry.has_job:
        if killed_as and exit_status.signal == signal.SIGKILL:
            return killed_as
        return exit_status.describe() + (f": {entry.reason}" if entry.reason else "")
    job = printable(entry.path)
    if outcome == "timed_out":
        return f"killed: {job} ran longer than its timeout"
    if outcome == "stopped":
        return f"killed for the stop while it ran {job}; the job is run again"
    return f"{exit_status.describe()} while it ran {job}"


def stop_line(entries: Iterable[tuple[str, Entry]], now: float, *, reloading: bool) -> str:
    """Say which running jobs a stop waits for: those that may not be killed for it."""
    verb = "Reloading" if reloading else "Stopping"
    waits_for = [
        f"{name} {printable(entry.path)}, {now - entry.started:.0f} s"
        for name, entry in entries
        if entry.is_running and not entry.sigkill_on_stop
    ]
    if not waits_for:
        return f"{verb}."
    jobs_named = "; ".join(waits_for[:NAMED_JOBS]) + ("; …" if len(waits_for) > NAMED_JOBS else "")
    them = "it" if len(waits_for) == 1 else "them"
    jobs = counted(len(waits_for), "job")
    return f"{verb}. Waiting for {jobs}: {jobs_named}. Ctrl-C again to kill {them}."
