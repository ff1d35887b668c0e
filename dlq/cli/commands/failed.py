"""`dlq failed list`, `show`, `retry`, `discard`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from dlq.cli.commands.queues import DryRunOption, YesOption, confirmed
from dlq.cli.framework.command import verb
from dlq.cli.framework.invocation import Invocation
from dlq.cli.framework.options import count_number
from dlq.errors import ExitCode, Interrupted, UsageError
from dlq.primitives.text import counted, printable, printable_lines

if TYPE_CHECKING:
    from dlq.operations.failed_jobs import Done, Progress, Selection, Targets
    from dlq.project.load import Project

verbs = typer.Typer(rich_markup_mode=None)

QueueOption = Annotated[
    list[str] | None,
    typer.Option("--queue", metavar="QUEUE", help="Only this queue; may be repeated."),
]
TaskOption = Annotated[
    str | None,
    typer.Option(
        "--task",
        metavar="TASK",
        help="Only this task or cron command: path, name, or pattern with *.",
    ),
]
IdsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[ID]...", help="Ids, or unique beginnings of ids.")
]
AllOption = Annotated[
    bool, typer.Option("--all", help="All of them; not needed with --queue, --task or --error.")
]
ErrorOption = Annotated[
    str | None,
    typer.Option("--error", metavar="ID", help="Only this group of `dlq failed list --by-error`."),
]

SHOWN = 20
"""Jobs that --dry-run lists."""

LISTED = 100
"""Jobs that `list` shows where --limit says nothing else."""


@verb(verbs, "list", example="dlq failed list --queue emails --task confirm")
def list_failed(
    ctx: typer.Context,
    queue: QueueOption = None,
    task: TaskOption = None,
    error: ErrorOption = None,
    by_error: Annotated[
        bool | None,
        typer.Option(
            "--by-error/--one-by-one",
            help="Group them by task and error; the default where there are more than 20.",
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", metavar="N", parser=count_number, help="Show at most so many."),
    ] = None,
) -> ExitCode:
    """List failed jobs, newest first."""
    from itertools import islice

    from dlq.cli.output.failed import failed_table, none_text
    from dlq.operations import failed_jobs as operations
    from dlq.operations.failed_groups import GROUPED_FROM

    call: Invocation = ctx.obj
    project = _project(call)
    selection = operations.Selection(tuple(queue or ()), task, error=error)
    queues = operations.failed_queues(project, queue or ())
    there = sum(operations.counts(project, queues).values())
    dropped = operations.dropped(queues)
    is_asked = limit is not None or error is not None or call.format == "json"
    if by_error or (by_error is None and not is_asked and there > GROUPED_FROM):
        return _list_groups(call, project, selection, there, dropped)
    found = operations.select_failed(project, selection)
    jobs = list(islice(found, limit or LISTED))
    total = there if selection.is_by_queue else len(jobs) + sum(1 for _ in found)
    if call.format == "json":
        listed = [operations.as_json(job) for job in jobs]
        call.print_document(total=total, dropped=dropped, jobs=listed)
        return ExitCode.DONE
    if not jobs:
        call.screen.print(none_text(queue or (), task, there))
        return ExitCode.DONE
    where = f" in {', '.join(queue)}" if queue else ""
    call.screen.table(*failed_table(jobs, time.time(), one_queue=len(queue or ()) == 1))
    count = (
        counted(total, "failed job")
        if len(jobs) == total
        else f"{len(jobs)} of {counted(total, 'failed job')} shown"
    )
    first = jobs[0].id
    hint = f"dlq failed retry --queue {queue[0]}" if queue else f"dlq failed retry {first}"
    call.screen.print(f"{count}{where}. dlq failed show {first} · {hint}")
    _print_dropped(call, dropped)
    return ExitCode.DONE


def _print_dropped(call: Invocation, dropped: int) -> None:
    if dropped:
        call.screen.print(
            f"{counted(dropped, 'older failed job')} dropped: FAILED_KEEP says how many are kept."
        )


def _list_groups(
    call: Invocation, project: Project, selection: Selection, there: int, dropped: int
) -> ExitCode:
    from dlq.cli.output.failed import groups_table
    from dlq.cli.output.progress import progress_bar
    from dlq.operations.failed_groups import group_document, group_failed
    from dlq.operations.failed_jobs import select_failed, watched

    bar = progress_bar(call.screen, "reading", there)
    groups = group_failed(watched(select_failed(project, selection), bar))
    if call.format == "json":
        call.print_document(dropped=dropped, groups=[group_document(group) for group in groups])
        return ExitCode.DONE
    if not groups:
        call.screen.print("No failed jobs are selected.")
        return ExitCode.DONE
    call.screen.table(*groups_table(groups, time.time()))
    total = sum(group.jobs for group in groups)
    id = groups[0].id
    call.screen.print(
        f"{counted(total, 'failed job')}, {counted(len(groups), 'error')}."
        f" dlq failed show {groups[0].newest} · dlq failed retry --error {id}"
    )
    _print_dropped(call, dropped)
    return ExitCode.DONE


@verb(verbs, example="dlq failed show 7f3a91c2")
def show(
    ctx: typer.Context,
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Ids, or beginnings of ids.")],
    queue: QueueOption = None,
) -> ExitCode:
    """Show everything that is known about failed jobs."""
    from dlq.cli.output.failed import failed_facts, fit_text
    from dlq.operations import failed_jobs as operations
    from dlq.operations.inspection.waiting_jobs import fit_document, job_fit

    call: Invocation = ctx.obj
    selection = operations.Selection(tuple(queue or ()), None, tuple(ids))
    project = _project(call)
    jobs = list(operations.select_failed(project, selection))
    checks = job_fit(project)
    fits = [checks.check_raw(job.raw)[1] for job in jobs]
    if call.format == "json":
        shown = zip(jobs, map(fit_document, fits), strict=True)
        call.print_document(jobs=[operations.with_fit(job, fit) for job, fit in shown])
        return ExitCode.DONE
    for job, fit in zip(jobs, fits, strict=True):
        for name, value in [*failed_facts(job), ("fit", fit_text(fit))]:
            call.screen.print(f"{name:<9} {printable(value, 2000)}")
        if job.failure.traceback:
            call.screen.print()
            call.screen.print(printable_lines(job.failure.traceback.rstrip("\n")))
        call.screen.print()
    return ExitCode.DONE


@verb(verbs, example="dlq failed retry --queue emails")
def retry(
    ctx: typer.Context,
    ids: IdsArgument = None,
    queue: QueueOption = None,
    task: TaskOption = None,
    error: ErrorOption = None,
    all: AllOption = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
) -> ExitCode:
    """Put failed jobs back on their queues."""
    from dlq.operations import failed_jobs as operations

    action = BulkAction(
        operations.retry,
        "retried",
        question="Put {jobs} back on {queues}?",
        outcome="Put {jobs} back on {queues}.",
        noun="job",
    )
    # Naming jobs one by one is deliberate enough, where nothing is lost by it.
    return _perform(
        ctx.obj, action, _selection(ids, queue, task, error, all), dry_run, yes or bool(ids)
    )


@verb(verbs, example="dlq failed discard --task confirm --dry-run")
def discard(
    ctx: typer.Context,
    ids: IdsArgument = None,
    queue: QueueOption = None,
    task: TaskOption = None,
    error: ErrorOption = None,
    all: AllOption = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
) -> ExitCode:
    """Drop failed jobs for good."""
    from dlq.operations import failed_jobs as operations

    action = BulkAction(
        operations.discard,
        "discarded",
        question="Discard {jobs} of {queues} for good?",
        outcome="Discarded {jobs} of {queues}.",
    )
    return _perform(ctx.obj, action, _selection(ids, queue, task, error, all), dry_run, yes)


class BulkAction(NamedTuple):
    """What is done to selected jobs. `participle` as in "retried"; `question` and `outcome` are
    sentences with `{jobs}` and `{queues}` to be filled in; `noun` is what they are called."""

    act: Callable[[Targets, Progress], Done]
    participle: str
    question: str
    outcome: str
    noun: str = "failed job"

    def fill(self, sentence: str, count: int, queues: Sequence[str]) -> str:
        return sentence.format(jobs=counted(count, self.noun), queues=", ".join(queues))


def _perform(
    call: Invocation, action: BulkAction, selection: Selection, dry_run: bool, is_sure: bool
) -> ExitCode:
    """Count, ask, read, act, report. Whole queues are counted without reading, so that the question
    comes before the long part."""
    from dlq.cli.output.progress import progress_bar
    from dlq.operations import failed_jobs as operations

    project = _project(call)
    counted = operations.counts(project, operations.failed_queues(project, selection.queues))

    def read() -> Targets:
        bar = progress_bar(call.screen, "reading", sum(counted.values()))
        return operations.collect(operations.select_failed(project, selection), bar)

    if dry_run:
        return _print_dry_run(call, action, project, selection)
    targets = None if selection.is_by_queue else read()
    found = counted if targets is None else {queue: len(ids) for queue, ids in targets.items()}
    total = sum(found.values())
    if not total:
        return _print_outcome(call, action, operations.Done(0, 0), ())
    queues = sorted(queue for queue, count in found.items() if count)
    if not confirmed(call, action.fill(action.question, total, queues), is_sure):
        return ExitCode.NOT_DONE
    return _act(call, action, read() if targets is None else targets, queues)


def _act(call: Invocation, action: BulkAction, targets: Targets, queues: Sequence[str]) -> ExitCode:
    from dlq.cli.framework.interrupts import interrupts_between_steps
    from dlq.cli.output.progress import progress_bar

    total = sum(map(len, targets.values()))
    bar = progress_bar(call.screen, action.participle, total)
    last = 0
    with interrupts_between_steps() as check:

        def progress(done: int) -> None:
            nonlocal last
            last = done
            bar(done)
            if done < total:
                check()

        try:
            done = action.act(targets, progress)
        except KeyboardInterrupt:
            raise Interrupted(
                f"{last:,} of {total:,} failed jobs were {action.participle};"
                " the same command goes on with the others"
            ) from None
    return _print_outcome(call, action, done, queues)


def _print_outcome(
    call: Invocation, action: BulkAction, done: Done, queues: Sequence[str]
) -> ExitCode:
    if call.format == "json":
        content = {action.participle: done.jobs, "gone": done.gone, "dry_run": False}
        call.print_document(**content)
    elif not done.jobs and not done.gone:
        call.screen.print("No failed jobs are selected.")
    else:
        call.screen.print(action.fill(action.outcome, done.jobs, queues))
        if done.gone:
            call.screen.note(f"{counted(done.gone, 'failed job')} had gone meanwhile.")
    return ExitCode.DONE


def _print_dry_run(
    call: Invocation, action: BulkAction, project: Project, selection: Selection
) -> ExitCode:
    """List the jobs that the action would be done to; of many, the newest."""
    from dlq.cli.output.failed import failed_table
    from dlq.operations.failed_jobs import select_failed

    jobs = list(select_failed(project, selection))
    if call.format == "json":
        ids = [job.id for job in jobs]
        call.print_document(**{action.participle: 0, "gone": 0, "dry_run": True, "ids": ids})
    elif not jobs:
        call.screen.print("No failed jobs are selected.")
    else:
        call.screen.table(*failed_table(jobs[:SHOWN], time.time()))
        if len(jobs) > SHOWN:
            call.screen.print(f"and {len(jobs) - SHOWN:,} more")
        call.screen.print(f"{counted(len(jobs), 'failed job')} would be {action.participle}.")
    return ExitCode.DONE


def _selection(
    ids: Sequence[str] | None,
    queue: Sequence[str] | None,
    task: str | None,
    error: str | None,
    all: bool,
) -> Selection:
    """Raises UsageError, where it doesn't say which jobs are meant."""
    from dlq.operations.failed_jobs import Selection

    if ids and (all or task or error):
        raise UsageError("name ids, or select with --queue, --task, --error and --all: not both")
    if not (ids or queue or task or error or all):
        raise UsageError(
            "which ones? name ids (dlq failed list shows them), or say --queue, --task, --error or"
            " --all"
        )
    return Selection(tuple(queue or ()), task, tuple(ids or ()), error)


def _project(call: Invocation) -> Project:
    from dlq.cli.framework.project import load_to_operate

    return load_to_operate(call)
