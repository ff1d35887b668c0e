"""`dlq enqueue`: a call of a task from the shell."""

from __future__ import annotations

from typing import Annotated

import typer

from dlq.cli.framework.command import verb
from dlq.cli.framework.invocation import Invocation
from dlq.errors import ExitCode, UsageError

verbs = typer.Typer(rich_markup_mode=None)


@verb(verbs, example="dlq enqueue confirm 81 --delay 5m")
def enqueue(
    ctx: typer.Context,
    task: Annotated[str, typer.Argument(metavar="TASK", help="A task: its path, or its name.")],
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ARG]...", help="Arguments, each as JSON or else as text."),
    ] = None,
    kwargs: Annotated[
        str | None,
        typer.Option("--kwargs", metavar="JSON", help="""Keyword arguments: '{"to": "x"}'."""),
    ] = None,
    delay: Annotated[
        str | None,
        typer.Option("--delay", metavar="DURATION", help="When: 90s, 5m, 1h30m, 7d from now."),
    ] = None,
    queue: Annotated[
        str | None, typer.Option("--queue", metavar="QUEUE", help="Another queue than the task's.")
    ] = None,
) -> ExitCode:
    """Enqueue a job of a task."""
    from dlq.operations.enqueue import enqueue as enqueue_job
    from dlq.primitives.duration import parse_duration
    from dlq.project.load import load_project

    call: Invocation = ctx.obj
    try:
        seconds = 0.0 if delay is None else parse_duration(delay)
    except ValueError as error:
        raise UsageError(f"--delay: {error}") from None
    project = load_project(call.settings, call.config)
    done = enqueue_job(project, task, arguments or (), kwargs, seconds, queue)
    if call.format == "json":
        call.print_document(task=done.path, queue=done.queue, stored=done.is_stored, id=done.id)
    elif done.is_stored:
        id = f", result {done.id}" if done.id else ""
        call.screen.print(f"Enqueued {done.path} on queue {done.queue}{id}.")
    else:
        call.screen.print(f"An equal job of {done.path} waits already; nothing was stored.")
    return ExitCode.DONE
