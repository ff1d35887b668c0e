"""`dlq failed list`, `show`, `retry`, `discard`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from dlq.cli.commands.queues import YesOption, confirmed
from dlq.cli.framework.command import verb
from dlq.cli.framework.invocation import Invocation
from dlq.cli.output.screen import Column
from dlq.errors import ExitCode, UsageError
from dlq.primitives.text import counted, printable, printable_lines

if TYPE_CHECKING:
    from dlq.backends.base import FailedJob
    from dlq.operations.failed_jobs import Done, Selection
    from dlq.project.load import Project

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
AllOption = Annotated[bool, typer.Option("--all", help="All that the options select.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say what would be done.")]

ARGUMENTS_LIMIT = 60
ERROR_LIMIT = 120


@verb(verbs, "list", example="dlq failed list --queue emails --task confirm")
def list_failed(
    ctx: typer.Context,
    queue: QueueOption = None,
    task: TaskOption = None,
    limit: Annotated[int, typer.Option("--limit", help="Show at most so many.")] = 100,
) -> ExitCode:
    """List failed jobs, newest first."""
    call: Invocation = ctx.obj
    from itertools import islice

    from dlq.operations import failed_jobs as operations

    project = _project(call)
    selection = operations.Selection(tuple(queue or ()), task)
    jobs = list(islice(operations.select_failed(project, selection), max(0, limit) + 1))
    more, jobs = len(jobs) > limit, jobs[:limit]
    if call.format == "json":
        call.screen.print(json.dumps([operations.as_json(job) for job in jobs], indent=2))
        return ExitCode.DONE
    where = f" in {', '.join(queue)}" if queue else ""
    if not jobs:
        call.screen.print(f"No failed jobs{where}.")
        return ExitCode.DONE
    one_queue = len(queue or ()) == 1
    call.screen.table(_columns(one_queue=one_queue), _rows(jobs, one_queue=one_queue))
    total = sum(operations.counts(project, {job.queue for job in jobs}).values())
    count = f"{len(jobs)} of {total} shown" if more or task else _jobs(total)
    first = jobs[0].id
    hint = f"dlq failed retry --queue {queue[0]} --all" if queue else f"dlq failed retry {first}"
    call.screen.print(f"{count}{where}. dlq failed show {first} · {hint}")
    return ExitCode.DONE


@verb(verbs, example="dlq failed show 7f3a91c2")
def show(
    ctx: typer.Context,
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Ids, or beginnings of ids.")],
    queue: QueueOption = None,
) -> ExitCode:
    """Show everything that is known about failed jobs."""
    call: Invocation = ctx.obj
    from dlq.operations import failed_jobs as operations

    selection = operations.Selection(tuple(queue or ()), None, tuple(ids))
    jobs = list(operations.select_failed(_project(call), selection))
    if call.format == "json":
        call.screen.print(json.dumps([operations.as_json(job) for job in jobs], indent=2))
        return ExitCode.DONE
    for job in jobs:
        for name, value in _facts(job):
            call.screen.print(f"{name:<9} {printable(value, 2000)}")
        if job.failure.traceback:
            call.screen.print()
            call.screen.print(printable_lines(job.failure.traceback.rstrip("\n")))
        call.screen.print()
    return ExitCode.DONE


@verb(verbs, example="dlq failed retry --queue emails --all")
def retry(
    ctx: typer.Context,
    ids: IdsArgument = None,
    queue: QueueOption = None,
    task: TaskOption = None,
    all: AllOption = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
) -> ExitCode:
    """Put failed jobs back on their queues."""
    call: Invocation = ctx.obj
    from dlq.operations import failed_jobs as operations

    deed = BulkAction(
        operations.retry,
        "retried",
        question=lambda count, where: f"Put {_jobs(count, '')} back on {where}?",
        done=lambda count, where: f"Put {_jobs(count, '')} back on {where}.",
    )
    # Naming jobs one by one is deliberate enough, where nothing is lost by it.
    return _perform(call, deed, _selection(ids, queue, task, all), dry_run, yes or not all)


@verb(verbs, example="dlq failed discard --task confirm --dry-run")
def discard(
    ctx: typer.Context,
    ids: IdsArgument = None,
    queue: QueueOption = None,
    task: TaskOption = None,
    all: AllOption = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
) -> ExitCode:
    """Drop failed jobs for good."""
    call: Invocation = ctx.obj
    from dlq.operations import failed_jobs as operations

    deed = BulkAction(
        operations.discard,
        "discarded",
        question=lambda count, where: f"Discard {_jobs(count)} of {where} for good?",
        done=lambda count, where: f"Discarded {_jobs(count)} of {where}.",
    )
    return _perform(call, deed, _selection(ids, queue, task, all), dry_run, yes)


class BulkAction(NamedTuple):
    """What is done to selected jobs. `word` is its participle; `question` and `done` make sentences
    of how many jobs they are, and of which queues."""

    act: Callable[[Sequence[FailedJob]], Done]
    word: str
    question: Callable[[int, str], str]
    done: Callable[[int, str], str]


def _perform(
    call: Invocation, deed: BulkAction, selection: Selection, dry_run: bool, is_sure: bool
) -> ExitCode:
    """Select, ask, do, tell."""
    from dlq.operations.failed_jobs import select_failed

    jobs = list(select_failed(_project(call), selection))
    if not jobs or dry_run:
        _tell_what_would_be_done(call, jobs, deed.word, dry_run)
        return ExitCode.DONE
    where = ", ".join(sorted({job.queue for job in jobs}))
    if not confirmed(call, deed.question(len(jobs), where), is_sure):
        return ExitCode.NOT_DONE
    done = deed.act(jobs)
    if call.format == "json":
        call.screen.print(json.dumps({deed.word: done.jobs, "gone": done.gone, "dry_run": False}))
        return ExitCode.DONE
    call.screen.print(deed.done(done.jobs, where))
    if done.gone:
        call.screen.note(f"{_jobs(done.gone)} had gone meanwhile.")
    return ExitCode.DONE


def _tell_what_would_be_done(
    call: Invocation, jobs: Sequence[FailedJob], word: str, dry_run: bool
) -> None:
    if call.format == "json":
        ids = [job.id for job in jobs]
        call.screen.print(json.dumps({word: 0, "gone": 0, "dry_run": dry_run, "ids": ids}))
    elif not jobs:
        call.screen.print("No failed jobs are selected.")
    else:
        call.screen.table(_columns(one_queue=False), _rows(jobs, one_queue=False))
        call.screen.print(f"{_jobs(len(jobs))} would be {word}.")


def _selection(
    ids: Sequence[str] | None, queue: Sequence[str] | None, task: str | None, all: bool
) -> Selection:
    from dlq.operations.failed_jobs import Selection

    if ids and (all or task):
        raise UsageError("name ids, or say --all with --queue and --task: not both")
    if not ids and not all:
        raise UsageError("which ones? name ids (dlq failed list shows them), or say --all")
    return Selection(tuple(queue or ()), task, tuple(ids or ()))


def _columns(*, one_queue: bool) -> list[Column]:
    return [
        Column("ID"),
        *([] if one_queue else [Column("QUEUE")]),
        Column("TASK"),
        Column("ARGS", fold=True),
        Column("FAILED"),
        Column("RAN"),
        Column("ERROR", fold=True),
    ]


def _rows(jobs: Sequence[FailedJob], *, one_queue: bool) -> list[list[str]]:
    now = time.time()
    return [_row(job, now, one_queue) for job in jobs]


def _row(job: FailedJob, now: float, one_queue: bool) -> list[str]:
    from dlq.cli.output.plan import span

    path = "(not a job)" if job.job is None else job.job.path
    return [
        job.id,
        *([] if one_queue else [job.queue]),
        printable(path, 120),
        _arguments(job),
        f"{span(now - job.failed_at)} ago",
        "-" if job.failure.ran is None else f"{job.failure.ran:.1f} s",
        printable(job.failure.reason, ERROR_LIMIT),
    ]


def _arguments(job: FailedJob, limit: int = ARGUMENTS_LIMIT) -> str:
    """As they are written in a call."""
    if job.job is None:
        return printable(job.raw.decode("utf-8", "backslashreplace"), limit)
    shown = [_value(value) for value in job.job.args]
    shown += [f"{name}={_value(value)}" for name, value in job.job.kwargs.items()]
    return printable(", ".join(shown), limit)


def _value(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _facts(job: FailedJob) -> list[tuple[str, str]]:
    from datetime import UTC, datetime

    failure = job.failure
    facts = [
        ("id", job.id),
        ("queue", job.queue),
        ("task", "(not a job)" if job.job is None else job.job.path),
        ("args", _arguments(job, 2000)),
        ("failed", f"{datetime.fromtimestamp(job.failed_at, UTC):%Y-%m-%d %H:%M:%S} UTC"),
        ("reason", f"{failure.reason} ({failure.kind})"),
        ("ran", "-" if failure.ran is None else f"{failure.ran:.3f} s"),
        ("attempts", str(failure.attempts)),
        ("worker", failure.worker or "-"),
    ]
    if job.job is None:
        facts.append(("raw", job.raw.decode("utf-8", "backslashreplace")))
    elif job.job.created_time_str:
        facts.insert(4, ("created", f"{job.job.created_time_str} UTC"))
    return facts


def _jobs(count: int, kind: str = "failed ") -> str:
    return counted(count, f"{kind}job")


def _project(call: Invocation) -> Project:
    from dlq.project.load import load_project

    return load_project(call.settings, call.config)
