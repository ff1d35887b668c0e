"""`dlq status`: what runs, what waits, what is wrong."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from dlq.cli.framework.command import verb
from dlq.cli.framework.invocation import Invocation
from dlq.cli.framework.options import duration
from dlq.cli.output.screen import Column, Screen
from dlq.errors import BackendUnavailable, ExitCode, UsageError
from dlq.primitives.text import counted

if TYPE_CHECKING:
    from dlq.operations.status import QueueStatus, Status
    from dlq.project.load import Project

verbs = typer.Typer(rich_markup_mode=None)


@verb(verbs, example="dlq status --watch --interval 5s")
def status(
    ctx: typer.Context,
    watch: Annotated[bool, typer.Option("--watch", help="Show it again and again.")] = False,
    interval: Annotated[
        float,
        typer.Option(
            "--interval", metavar="DURATION", parser=duration, help="Between two looks: 5s, 1m."
        ),
    ] = 2.0,
) -> ExitCode:
    """Show runners, queues and workers.

    As the server knows them; exits with 1 if something is wrong.

    With --format json and --watch, one line of JSON for each look.
    """
    call: Invocation = ctx.obj
    from dlq.project.load import load_project, tolerate_mistakes

    if interval < 0.1:
        raise UsageError(f"--interval {interval:g}: 0.1 seconds at least")
    project = tolerate_mistakes(load_project(call.settings, call.config))
    if watch:
        return _watch(call, project, interval)
    return _show(call, project)


def _watch(call: Invocation, project: Project, interval: float) -> ExitCode:
    """Until Ctrl-C; a server that is away is told and asked again."""
    screen = call.screen
    while True:
        if screen.is_terminal and call.format == "text":
            screen.out.write("\x1b[H\x1b[2J")
        try:
            _show(call, project, one_line=True)
        except BackendUnavailable as error:
            screen.note(f"{datetime.now(UTC):%H:%M:%S} {error}")
        screen.out.flush()
        time.sleep(interval)


def _show(call: Invocation, project: Project, *, one_line: bool = False) -> ExitCode:
    import json

    from dlq.operations.status import ANSWER_LIMIT, read_status, status_json
    from dlq.project.load import require_settings, tolerated
    from dlq.runtime import probing

    require_settings(project)
    with probing(ANSWER_LIMIT):
        found = read_status(project, time.time())
    found = found._replace(findings=(*tolerated(project), *found.findings))
    if call.format == "json":
        content = status_json(found)
        call.screen.print(json.dumps(content) if one_line else json.dumps(content, indent=2))
    else:
        _print(call.screen, found)
    return ExitCode.DONE if found.is_well else ExitCode.FINDINGS


def _print(screen: Screen, found: Status) -> None:
    from dlq.cli.output.findings import findings_lines
    from dlq.cli.output.text import span

    counts = (
        f"{counted(len(found.runners), 'machine')}, {counted(found.workers, 'worker')},"
        f" {found.busy} busy"
    )
    for place, server in enumerate(found.servers):
        line = f"{server.name} at {server.address}, {server.latency * 1000:.1f} ms"
        screen.print(f"{line}      {counts}" if place == 0 else line)
    if found.queues:
        screen.table(QUEUE_COLUMNS, [_queue_row(queue, found.at) for queue in found.queues])
    if found.runners:
        main_pool = _main_pool(found)
        rows = []
        for seen in found.runners:
            runner = seen.runner
            other = not runner.exact and runner.pool_id != main_pool
            rows.append(
                [
                    "exact" if runner.exact else f"{runner.machine} of {runner.of}",
                    runner.host,
                    str(runner.pid),
                    "-" if runner.exact else runner.pool_id,
                    span(found.at - runner.started),
                    "yes" if runner.runs_cron else "-",
                    f"{seen.age:.0f} s ago" + ("   <- other pool" if other else ""),
                ]
            )
        screen.table(MACHINE_COLUMNS, rows)
    screen.segments(findings_lines(found.findings))


QUEUE_COLUMNS = [
    Column("QUEUE"),
    Column("WAITING", right=True),
    Column("OLDEST"),
    Column("RUNNING", right=True),
    Column("FAILED", right=True),
    Column("WORKERS", right=True),
    Column("STATE"),
]
MACHINE_COLUMNS = [
    Column("MACHINE"),
    Column("HOST"),
    Column("PID", right=True),
    Column("POOL"),
    Column("UP"),
    Column("CRON"),
    Column("SEEN"),
]


def _queue_row(queue: QueueStatus, now: float) -> list[str]:
    from dlq.cli.output.text import span

    state = queue.state
    return [
        state.queue,
        str(state.waiting),
        "-" if state.oldest is None else span(now - state.oldest),
        str(state.in_hand),
        str(state.failed),
        f"{queue.alive}/{queue.planned}",
        _state(queue, now),
    ]


def _state(queue: QueueStatus, now: float) -> str:
    from dlq.cli.output.text import span

    state = queue.state
    told = []
    if state.paused_until is not None:
        end = datetime.fromtimestamp(state.paused_until, UTC)
        day = "" if state.paused_until - now < 86_400 else f"{end:%d %b} "
        told.append(f"paused until {day}{end:%H:%M} UTC, in {span(state.paused_until - now)}")
    if not queue.alive and (queue.planned or state.waiting or state.in_hand):
        told.append("no worker")
    if state.delayed:
        told.append(f"{counted(state.delayed, 'job')} later")
    return ", ".join(told)


def _main_pool(found: Status) -> str:
    from collections import Counter

    pools = Counter(seen.runner.pool_id for seen in found.runners if not seen.runner.exact)
    return pools.most_common(1)[0][0] if pools else ""
