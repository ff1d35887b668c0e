"""`dlq pause`, `resume`, `clear`, `deduplicate`: what is done to queues."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dlq.cli.framework.command import verb
from dlq.cli.framework.invocation import Invocation
from dlq.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from dlq.project.load import Project

verbs = typer.Typer(rich_markup_mode=None)

QueuesArgument = Annotated[
    list[str], typer.Argument(metavar="QUEUE...", help="One or more queues, by name.")
]
YesOption = Annotated[bool, typer.Option("--yes", help="Don't ask.")]


@verb(
    verbs,
    example="dlq pause emails images --for 1h30m",
    interrupted="`dlq status` shows which queues are paused",
)
def pause(
    ctx: typer.Context,
    queues: QueuesArgument,
    duration: Annotated[
        str | None, typer.Option("--for", metavar="1h2m3s", help="How long.")
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="TIME", help="Until when, as 2026-01-31T08:00:00+0000."),
    ] = None,
) -> ExitCode:
    """Let no job of these queues start for a while.

    Jobs that run go on, and new ones can be enqueued.
    """
    call: Invocation = ctx.obj
    from dlq.cli.output import queues as queues_text
    from dlq.operations import queues as operations

    end = operations.pause_until(duration, until, datetime.now(UTC))
    names = operations.select_queues(_project(call), queues)
    operations.pause(names, end)
    for name in names:
        call.screen.print(queues_text.paused(name, end))
    return ExitCode.DONE


@verb(verbs, example="dlq resume emails", interrupted="`dlq status` shows which queues are paused")
def resume(ctx: typer.Context, queues: QueuesArgument) -> ExitCode:
    """End a pause now."""
    call: Invocation = ctx.obj
    from dlq.cli.output import queues as queues_text
    from dlq.operations import queues as operations

    names = operations.select_queues(_project(call), queues)
    operations.resume(names)
    for name in names:
        call.screen.print(queues_text.resumed(name))
    return ExitCode.DONE


@verb(verbs, example="dlq clear emails --dry-run", interrupted="`dlq status` shows what waits")
def clear(ctx: typer.Context, queues: QueuesArgument, yes: YesOption = False) -> ExitCode:
    """Drop all waiting jobs of these queues.

    Jobs that run are left alone.
    """
    call: Invocation = ctx.obj
    from dlq.cli.output import queues as queues_text
    from dlq.operations import queues as operations

    names = operations.select_queues(_project(call), queues)
    operations.require_clearing(names)
    if not confirmed(call, f"Clear all jobs from {', '.join(names)}?", yes):
        return ExitCode.NOT_DONE
    for name, count in operations.clear(names).items():
        call.screen.print(queues_text.cleared(name, count))
    return ExitCode.DONE


@verb(
    verbs, example="dlq deduplicate emails --dry-run", interrupted="`dlq status` shows what waits"
)
def deduplicate(ctx: typer.Context, queues: QueuesArgument) -> ExitCode:
    """Drop waiting jobs that would do the same again.

    The oldest of equal jobs is kept.
    """
    call: Invocation = ctx.obj
    from dlq.backends.base import ProgressLogger
    from dlq.cli.output import queues as queues_text
    from dlq.operations import queues as operations

    names = operations.select_queues(_project(call), queues)
    screen = call.screen

    def steps(items: Iterable[Any]) -> Iterable[Any]:
        return items

    progress = ProgressLogger(screen.note if call.verbose else lambda message: None, steps)
    for result in operations.deduplicate(names, progress):
        screen.print(queues_text.deduplicated(result))
    return ExitCode.DONE


def confirmed(call: Invocation, question: str, yes: bool) -> bool:
    """Raises UsageError where there is nobody to ask."""
    if yes:
        return True
    if not call.screen.can_ask:
        raise UsageError(f"{question} Nobody is here to answer: add --yes")
    if call.screen.ask(question):
        return True
    call.screen.note("Nothing was done.")
    return False


def _project(call: Invocation) -> Project:
    from dlq.project.load import load_project

    return load_project(call.settings, call.config)
