"""The task that runs a row's management command: what every cron job names.

It has the path that django-lightweight-queue 4.11 gave it, so that either side of a mixed fleet
runs the other's cron jobs.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from typing import Any

from dlq import runtime
from dlq.backends.base import BackendWithRunners, BaseBackend
from dlq.cron.history import FAILED, OK, RAN, ran_part, read_records, record_id
from dlq.cron.rows.row import DEFAULT_CRON_QUEUE, CronRow
from dlq.decorator import TaskWrapper, task
from dlq.errors import BackendUnavailable, DlqError
from dlq.execution.describe import describe
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
    queue = next((row.queue for row in rows if row.command == name), DEFAULT_CRON_QUEUE)
    transaction = lazily_atomic() if atomic else nullcontext()
    with _recorded(current.backend(queue), record_id(name, args, kwargs)), transaction:
        try:
            call_command(name, *args, **kwargs)
        except SystemExit as end:
            # A command may end with `sys.exit(0)`, as programs do: that is its success.
            if end.code not in (None, 0):
                raise


@contextmanager
def _recorded(backend: BaseBackend, id: str) -> Iterator[None]:
    """Store when a run starts and how it ends, for status. A server that is away keeps no command
    from running."""
    if not isinstance(backend, BackendWithRunners):
        yield
        return

    def record(ended: float | None, outcome: str = "", error: str = "") -> None:
        success = ended if outcome == OK else last_success
        with suppress(BackendUnavailable):
            content = ran_part(started, ended, outcome, error, success)
            backend.record_cron(f"{id}:{RAN}", content)

    last_success = None
    with suppress(BackendUnavailable):
        before = read_records(backend.cron_records()).get(id)
        last_success = None if before is None else before.last_success
    started = time.time()
    record(None)
    try:
        yield
    except BaseException as error:
        record(time.time(), FAILED, describe(error))
        raise
    record(time.time(), OK)


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
