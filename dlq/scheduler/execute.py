"""The task that runs a row's management command: what every cron job names.

It has the path that django-lightweight-queue 4.11 gave it, so that either side of a mixed fleet
runs the other's cron jobs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from dlq import runtime
from dlq.cron.rows.row import CronRow
from dlq.decorator import TaskWrapper, task
from dlq.errors import DlqError
from dlq.job import CRON_TASK
from dlq.primitives.json_values import json_compatible

__all__ = ("PATH", "CommandNotAllowed", "execute")

PATH = CRON_TASK


class CommandNotAllowed(DlqError):
    """A cron job names a command that no row of this project names."""


def _execute(name: str, /, *args: Any, **kwargs: Any) -> None:
    """Run a management command, if a row of some cron.py names it or CRON_COMMANDS lists it:
    whoever can write to the server could otherwise run any command of the project."""
    from django.core.management import call_command

    from dlq.execution.lazy_transaction import lazily_atomic

    current = runtime.current()
    rows = current.cron_rows()
    allowed = {row.command for row in rows} | set(current.settings.cron_commands)
    if name not in allowed:
        raise CommandNotAllowed(
            f"no cron row names the command {name!r}: if it is meant to run, list it in"
            " LIGHTWEIGHT_QUEUE_CRON_COMMANDS"
        )
    atomic = is_atomic(rows, name, args, kwargs, default=current.settings.atomic_jobs)
    with lazily_atomic() if atomic else nullcontext():
        try:
            call_command(name, *args, **kwargs)
        except SystemExit as end:
            # A command may end with `sys.exit(0)`, as programs do: that is its success.
            if end.code not in (None, 0):
                raise


def is_atomic(
    rows: Iterable[CronRow],
    name: str,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    *,
    default: bool,
) -> bool:
    """The job cannot say it, since its stored form never grows: the row that has this command and
    these arguments does, or else the first one with this command."""
    same_command = [row for row in rows if row.command == name]
    call = (json_compatible(args), json_compatible(kwargs))
    same_call = [
        row
        for row in same_command
        if (json_compatible(row.command_args), json_compatible(row.command_kwargs)) == call
    ]
    for row in same_call or same_command:
        return default if row.atomic is None else row.atomic
    return default


_execute.__name__ = _execute.__qualname__ = "execute"
_execute.__module__ = PATH.rpartition(".")[0]

execute: TaskWrapper[..., None] = task(atomic=False)(_execute)
"""Its transaction is begun within, where the row is known."""
