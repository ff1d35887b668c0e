"""`dlq pause`, `resume`, `clear`, `deduplicate`: what is done to queues."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from dlq.cli.framework.command import verb
from dlq.cli.framework.invocation import Invocation
from dlq.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from dlq.types import QueueName

verbs = typer.Typer(rich_markup_mode=None)

QueuesArgument = Annotated[
    list[str], typer.Argument(metavar="QUEUE...", help="One or more queues, by name.")
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Print what would be done.")]

ASK_STATUS = "`dlq status` shows what waits and what is paused"


@verb(verbs, example="dlq pause emails images --for 1h30m", interrupted=ASK_STATUS)
def pause(
    ctx: typer.Context,
    queues: QueuesArgument,
    duration: Annotated[
        str | None, typer.Option("--for", metavar="DURATION", help="How long: 90s, 5m, 1h30m, 7d.")
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="TIME", help="Until when, as 2026-01-31T08:00:00+0000."),
    ] = None,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why: status and pages show it.")
    ] = "",
    dry_run: DryRunOption = False,
) -> ExitCode:
    """Let no job of these queues start for a while.

    Jobs that run go on, and new ones can be enqueued.
    """
    from dlq.backends.state import PauseNote
    from dlq.cli.output import queues as queues_text
    from dlq.diagnostics.formats import iso_utc
    from dlq.operations import queues as operations

    call: Invocation = ctx.obj
    end = operations.pause_until(duration, until, datetime.now(UTC))
    names = _select(call, queues, tolerant=True)
    if not dry_run:
        operations.pause(names, end, PauseNote(this_person(), reason))
    if call.format == "json":
        call.print_document(queues=names, paused_until=iso_utc(end), dry_run=dry_run)
        return ExitCode.DONE
    for name in names:
        call.screen.print(queues_text.paused_text(name, end, dry_run=dry_run))
    return ExitCode.DONE


@verb(verbs, example="dlq resume emails", interrupted=ASK_STATUS)
def resume(ctx: typer.Context, queues: QueuesArgument, dry_run: DryRunOption = False) -> ExitCode:
    """End a pause now."""
    from dlq.cli.output import queues as queues_text
    from dlq.operations import queues as operations

    call: Invocation = ctx.obj
    names = _select(call, queues, tolerant=True)
    if not dry_run:
        operations.resume(names)
    if call.format == "json":
        call.print_document(queues=names, dry_run=dry_run)
        return ExitCode.DONE
    for name in names:
        call.screen.print(queues_text.resume_text(name, dry_run=dry_run))
    return ExitCode.DONE


@verb(verbs, example="dlq clear emails --dry-run", interrupted=ASK_STATUS)
def clear(
    ctx: typer.Context,
    queues: QueuesArgument,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    delayed: Annotated[
        bool,
        typer.Option("--delayed", help="Delayed jobs and retries instead."),
    ] = False,
) -> ExitCode:
    """Drop all waiting jobs of these queues.

    Jobs that run are left alone.
    """
    if delayed:
        return _clear_delayed(ctx.obj, queues, yes, dry_run)
    from dlq.cli.output import queues as queues_text
    from dlq.operations import queues as operations

    call: Invocation = ctx.obj
    names = _select(call, queues)
    operations.require_clearing(names)
    counts = operations.waiting(names)
    if not dry_run and not confirmed(call, queues_text.clear_question(counts), yes):
        return ExitCode.NOT_DONE
    cleared = counts if dry_run else operations.clear(names)
    if call.format == "json":
        call.print_document(cleared=cleared, dry_run=dry_run)
        return ExitCode.DONE
    for name, count in cleared.items():
        call.screen.print(queues_text.cleared_text(name, count, dry_run=dry_run))
    return ExitCode.DONE


@verb(verbs, example="dlq deduplicate emails --dry-run", interrupted=ASK_STATUS)
def deduplicate(
    ctx: typer.Context, queues: QueuesArgument, dry_run: DryRunOption = False
) -> ExitCode:
    """Drop waiting jobs that would do the same again.

    The oldest of equal jobs is kept.
    """
    from dlq.backends.base import ProgressLogger
    from dlq.cli.output import queues as queues_text
    from dlq.operations import queues as operations

    call: Invocation = ctx.obj
    names = _select(call, queues)
    note = call.screen.note if call.verbose else lambda message: None
    progress = ProgressLogger(note, lambda items: items)
    act = operations.count_duplicates if dry_run else operations.deduplicate
    results = act(names, progress)
    if call.format == "json":
        call.print_document(queues=[result._asdict() for result in results], dry_run=dry_run)
        return ExitCode.DONE
    for result in results:
        call.screen.print(queues_text.deduplicated_text(result, dry_run=dry_run))
    return ExitCode.DONE


def _clear_delayed(call: Invocation, queues: Sequence[str], yes: bool, dry_run: bool) -> ExitCode:
    from dlq.cli.output import queues as queues_text
    from dlq.operations import delayed_jobs as operations
    from dlq.primitives.text import counted
    from dlq.project.load import load_project

    names = operations.delayed_queues(load_project(call.settings, call.config), queues)
    counts = operations.counts(names)
    jobs = counted(sum(counts.values()), "delayed job")
    if not dry_run and not confirmed(call, f"Drop {jobs} of {', '.join(names)}?", yes):
        return ExitCode.NOT_DONE
    cleared = counts if dry_run else operations.clear(names)
    if call.format == "json":
        call.print_document(cleared=cleared, dry_run=dry_run)
        return ExitCode.DONE
    for name, count in cleared.items():
        call.screen.print(queues_text.cleared_text(name, count, dry_run=dry_run))
    return ExitCode.DONE


def this_person() -> str:
    """`ana@web-1`: who types this, as far as the system knows."""
    import getpass
    import socket

    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no name
        name = str(os.getuid())
    return f"{name}@{socket.gethostname()}"


@verb(verbs, example="dlq kill emails/2", interrupted="the job may have been ended: dlq status")
def kill(
    ctx: typer.Context,
    worker: Annotated[str, typer.Argument(metavar="WORKER", help="As in dlq status: emails/2.")],
    yes: YesOption = False,
    dry_run: DryRunOption = False,
) -> ExitCode:
    """End a running job now, as a failed one.

    Its process is killed; the worker goes on with the next job.
    """
    from dlq.cli.framework.project import load_to_operate
    from dlq.operations.monitoring.kill import find_running, request_kill
    from dlq.operations.monitoring.rates import running_document
    from dlq.primitives.text import printable

    call: Invocation = ctx.obj
    load_to_operate(call)
    found = find_running(worker)
    runner, job = found
    what = f"{printable(job.task)} on {printable(runner.host)} ({job.worker}, pid {job.pid})"
    if not dry_run:
        if not confirmed(call, f"Kill {what}?", yes):
            return ExitCode.NOT_DONE
        request_kill(found)
    if call.format == "json":
        call.print_document(killed=running_document(found), dry_run=dry_run)
        return ExitCode.DONE
    queue = job.worker.rpartition("/")[0]
    done = "Would kill" if dry_run else "Killing"
    call.screen.print(f"{done} {what}; within seconds: dlq failed list --queue {queue}")
    return ExitCode.DONE


def confirmed(call: Invocation, question: str, yes: bool) -> bool:
    """Ask at the terminal, unless --yes says so. Raises UsageError where there is no terminal."""
    if yes:
        return True
    if not call.screen.can_ask:
        raise UsageError(f"{question} stdin is not a terminal: add --yes")
    if call.screen.ask(question):
        return True
    call.screen.note("Nothing was done.")
    return False


def _select(call: Invocation, queues: Sequence[str], *, tolerant: bool = False) -> list[QueueName]:
    """`tolerant`: a mistake in a setting stops no pause, but the dropping of jobs."""
    from dlq.cli.framework.project import load_to_operate
    from dlq.operations.queues import select_queues
    from dlq.project.load import load_project

    project = load_to_operate(call) if tolerant else load_project(call.settings, call.config)
    return select_queues(project, queues)
