"""`dlq status`: what runs, what waits, what is wrong."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from dlq.cli.framework.command import verb
from dlq.cli.framework.invocation import Invocation
from dlq.cli.framework.options import duration, limit_number
from dlq.errors import BackendUnavailable, ExitCode, UsageError

if TYPE_CHECKING:
    from dlq.operations.monitoring.limits import Limits
    from dlq.operations.status import Status
    from dlq.project.load import Project

verbs = typer.Typer(rich_markup_mode=None)


@verb(
    verbs,
    example="dlq status --max-age 5m --max-failed 0",
    formats=("text", "json", "prometheus"),
)
def status(
    ctx: typer.Context,
    watch: Annotated[bool, typer.Option("--watch", help="Show it again and again.")] = False,
    interval: Annotated[
        float,
        typer.Option(
            "--interval", metavar="DURATION", parser=duration, help="Between two looks: 5s, 1m."
        ),
    ] = 2.0,
    queue: Annotated[
        str | None,
        typer.Option("--queue", metavar="QUEUE", help="This queue alone, with what runs next."),
    ] = None,
    max_age: Annotated[
        float | None,
        typer.Option(
            "--max-age", metavar="DURATION", parser=duration, help="No job may wait longer: 5m."
        ),
    ] = None,
    max_waiting: Annotated[
        int | None,
        typer.Option(
            "--max-waiting", metavar="N", parser=limit_number, help="Jobs that may wait in a queue."
        ),
    ] = None,
    max_failed: Annotated[
        int | None,
        typer.Option(
            "--max-failed", metavar="N", parser=limit_number, help="Failed jobs a queue may have."
        ),
    ] = None,
) -> ExitCode:
    """Show runners, queues and workers.

    As the server knows them; exits with 1 if something is wrong, or beyond a limit (--max-age,
    --max-waiting, --max-failed).

    With --format json and --watch, one line of JSON for each look.
    """
    from dlq.operations.monitoring.limits import Limits
    from dlq.project.load import load_project, require_settings, tolerate_violations

    call: Invocation = ctx.obj
    if interval < 0.1:
        raise UsageError(f"--interval {interval:g}: 0.1 seconds at least")
    project = tolerate_violations(load_project(call.settings, call.config))
    require_settings(project)
    limits = Limits(max_age, max_waiting, max_failed)
    if queue is not None:
        if watch or call.format == "prometheus":
            raise UsageError(
                "--queue shows one queue once: leave out --watch, or choose text or json"
            )
        return _show_queue(call, project, limits, queue)
    if watch:
        if call.format == "prometheus":
            raise UsageError("--watch prints no Prometheus text: call dlq status again and again")
        return _watch(call, project, interval, limits)
    return _show(call, project, limits)


def _watch(call: Invocation, project: Project, interval: float, limits: Limits) -> ExitCode:
    """Show it until Ctrl-C; a server that is away is reported and asked again. On a terminal, what
    fits on it."""
    from dlq.cli.output.status import status_lines, watch_lines
    from dlq.operations.status import status_json

    screen = call.screen
    while True:
        try:
            found = _read(project, limits)
        except BackendUnavailable as error:
            screen.note(f"{datetime.now(UTC):%H:%M:%S} {error}")
        else:
            if call.format == "json":
                screen.print(json.dumps(status_json(found)))
            elif screen.is_terminal:
                screen.out.write("\x1b[H\x1b[2J")
                screen.segments(watch_lines(screen, found))
            else:
                screen.segments(status_lines(screen, found))
        screen.out.flush()
        time.sleep(interval)


def _show(call: Invocation, project: Project, limits: Limits) -> ExitCode:
    from dlq.cli.output.status import status_lines
    from dlq.diagnostics.formats import json_text
    from dlq.operations.status import status_json

    found = _read(project, limits)
    if call.format == "json":
        call.screen.print(json_text(status_json(found)))
    elif call.format == "prometheus":
        from dlq.operations.monitoring.prometheus_text import prometheus_text

        call.screen.out.write(prometheus_text(found))
    else:
        call.screen.segments(status_lines(call.screen, found))
    return ExitCode.DONE if found.is_well else ExitCode.FINDINGS


def _show_queue(call: Invocation, project: Project, limits: Limits, queue: str) -> ExitCode:
    from dlq.cli.output.status import next_lines, status_lines
    from dlq.diagnostics.formats import json_text
    from dlq.operations.inspection.waiting_jobs import job_fit, next_jobs, queue_json
    from dlq.operations.status import ANSWER_LIMIT, only_queue
    from dlq.runtime import probing

    found = only_queue(_read(project, limits), queue)
    with probing(ANSWER_LIMIT):
        jobs = next_jobs(found.queues[0].state.queue)
    document = queue_json(found, jobs, job_fit(project))
    if call.format == "json":
        call.screen.print(json_text(document))
    else:
        call.screen.segments(status_lines(call.screen, found))
        call.screen.segments(next_lines(call.screen, document["next"]))
    return ExitCode.DONE if found.is_well else ExitCode.FINDINGS


def _read(project: Project, limits: Limits) -> Status:
    from dlq.operations.monitoring.limits import judge_limits
    from dlq.operations.status import ANSWER_LIMIT, read_status
    from dlq.project.load import tolerated
    from dlq.runtime import probing

    with probing(ANSWER_LIMIT):
        found = read_status(project, time.time())
    beyond = judge_limits(found, limits)
    return found._replace(findings=(*tolerated(project), *found.findings, *beyond))
