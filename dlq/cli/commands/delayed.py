"""`dlq delayed list`, `run`, `discard`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from dlq.cli.commands.queues import DryRunOption, YesOption, confirmed
from dlq.cli.framework.command import verb
from dlq.cli.framework.invocation import Invocation
from dlq.cli.framework.options import count_number
from dlq.errors import ExitCode, UsageError
from dlq.primitives.text import counted

if TYPE_CHECKING:
    from dlq.backends.delayed import DelayedJob
    from dlq.operations.delayed_jobs import DelayedSelection

verbs = typer.Typer(rich_markup_mode=None)

QueueOption = Annotated[
    list[str] | None,
    typer.Option("--queue", metavar="QUEUE", help="Only this queue; may be repeated."),
]
TaskOption = Annotated[
    str | None,
    typer.Option("--task", metavar="TASK", help="Only this task: path, name, or pattern with *."),
]
IdsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[ID]...", help="Ids, or unique beginnings of ids.")
]
AllOption = Annotated[
    bool, typer.Option("--all", help="All of them; not needed with --queue or --task.")
]

LISTED = 100
"""Jobs that `list` shows where --limit says nothing else."""


@verb(verbs, "list", example="dlq delayed list --queue emails --task confirm")
def list_delayed(
    ctx: typer.Context,
    queue: QueueOption = None,
    task: TaskOption = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", metavar="N", parser=count_number, help="Show at most so many."),
    ] = None,
) -> ExitCode:
    """List jobs that are due later, retries too: the next one first."""
    from itertools import islice

    from dlq.cli.framework.project import load_to_operate
    from dlq.cli.output.delayed import delayed_table
    from dlq.operations import delayed_jobs as operations

    call: Invocation = ctx.obj
    project = load_to_operate(call)
    selection = operations.DelayedSelection(tuple(queue or ()), task)
    there = sum(operations.counts(operations.delayed_queues(project, queue or ())).values())
    found = operations.select_delayed(project, selection)
    jobs = list(islice(found, limit or LISTED))
    total = there if task is None else len(jobs) + sum(1 for _ in found)
    if call.format == "json":
        call.print_document(total=total, jobs=[operations.as_json(job) for job in jobs])
        return ExitCode.DONE
    if not jobs:
        call.screen.print("No delayed jobs.")
        return ExitCode.DONE
    call.screen.table(*delayed_table(jobs, time.time()))
    count = counted(total, "delayed job")
    call.screen.print(count if len(jobs) == total else f"{len(jobs)} of {count} shown")
    return ExitCode.DONE


@verb(verbs, example="dlq delayed run --task confirm")
def run(
    ctx: typer.Context,
    ids: IdsArgument = None,
    queue: QueueOption = None,
    task: TaskOption = None,
    all: AllOption = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
) -> ExitCode:
    """Let delayed jobs be due now."""
    from dlq.operations.delayed_jobs import run_now

    jobs = _selected(ctx.obj, _selection(ids, queue, task, all))
    if dry_run or not jobs:
        return _print_outcome(ctx.obj, "run", "would be due now", jobs, 0)
    question = f"Let {counted(len(jobs), 'delayed job')} be due now?"
    if not confirmed(ctx.obj, question, yes or bool(ids)):
        return ExitCode.NOT_DONE
    return _print_outcome(ctx.obj, "run", "due now", jobs, run_now(jobs))


@verb(verbs, example="dlq delayed discard --task confirm --dry-run")
def discard(
    ctx: typer.Context,
    ids: IdsArgument = None,
    queue: QueueOption = None,
    task: TaskOption = None,
    all: AllOption = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
) -> ExitCode:
    """Drop delayed jobs for good."""
    from dlq.operations.delayed_jobs import discard as discard_jobs

    jobs = _selected(ctx.obj, _selection(ids, queue, task, all))
    if dry_run or not jobs:
        return _print_outcome(ctx.obj, "discarded", "would be discarded", jobs, 0)
    if not confirmed(ctx.obj, f"Discard {counted(len(jobs), 'delayed job')} for good?", yes):
        return ExitCode.NOT_DONE
    return _print_outcome(ctx.obj, "discarded", "discarded", jobs, discard_jobs(jobs))


def _selected(call: Invocation, selection: DelayedSelection) -> list[DelayedJob]:
    from dlq.cli.framework.project import load_to_operate
    from dlq.operations.delayed_jobs import select_delayed

    return list(select_delayed(load_to_operate(call), selection))


def _print_outcome(
    call: Invocation, key: str, participle: str, jobs: Sequence[DelayedJob], done: int
) -> ExitCode:
    is_dry = participle.startswith("would")
    if call.format == "json":
        ids = [job.id for job in jobs]
        call.print_document(**{key: done, "gone": 0 if is_dry else len(jobs) - done, "ids": ids})
    elif not jobs:
        call.screen.print("No delayed jobs are selected.")
    else:
        number = len(jobs) if is_dry else done
        call.screen.print(f"{counted(number, 'delayed job')} {participle}.")
        if not is_dry and done < len(jobs):
            call.screen.note(f"{counted(len(jobs) - done, 'delayed job')} had gone meanwhile.")
    return ExitCode.DONE


def _selection(
    ids: Sequence[str] | None, queue: Sequence[str] | None, task: str | None, all: bool
) -> DelayedSelection:
    """Raises UsageError, where it doesn't say which jobs are meant."""
    from dlq.operations.delayed_jobs import DelayedSelection

    if ids and (all or task):
        raise UsageError("name ids, or select with --queue, --task and --all: not both")
    if not (ids or queue or task or all):
        raise UsageError(
            "which ones? name ids (dlq delayed list shows them), or say --queue, --task or --all"
        )
    return DelayedSelection(tuple(queue or ()), task, tuple(ids or ()))
