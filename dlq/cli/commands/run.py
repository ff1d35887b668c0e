"""`dlq run`, `dlq worker`, `dlq health`: processes that stay, and the probe for them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from dlq.cli.commands.health import DEFAULT_LIMIT
from dlq.cli.framework.command import verb
from dlq.cli.framework.invocation import Invocation
from dlq.cli.framework.options import (
    ExactOption,
    MachineOption,
    OfOption,
    OnlyQueueOption,
    duration,
    whole_number,
)
from dlq.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from dlq.planning.plan import Plan

verbs = typer.Typer(rich_markup_mode=None)


@verb(verbs, example="dlq run --machine 1 --of 3 --config special.toml", keeps_stdout=True)
def run(
    ctx: typer.Context,
    machine: MachineOption = None,
    of: OfOption = None,
    exact_configuration: ExactOption = False,
    only_queue: OnlyQueueOption = None,
    expect_pool: Annotated[
        str | None,
        typer.Option("--expect-pool", metavar="ID", help="Exit with 3 if the pool is another."),
    ] = None,
    pidfile: Annotated[
        str | None,
        typer.Option("--pidfile", metavar="FILE", help="Go into the background; the pid is here."),
    ] = None,
    touchfile: Annotated[
        str | None,
        typer.Option(
            "--touch-file",
            "--touchfile",
            metavar="FILE.%s",
            help="Touched after each job; %s is its queue.",
        ),
    ] = None,
    health_file: Annotated[
        str | None,
        typer.Option(
            "--health-file", metavar="FILE", help="Touched every second, for `dlq health`."
        ),
    ] = None,
    embedded: Annotated[
        bool,
        typer.Option(
            "--embedded", help="Start a private, temporary Valkey with it, for development."
        ),
    ] = False,
    reload: Annotated[
        bool, typer.Option("--reload", help="Restart when the code changes, for development.")
    ] = False,
) -> ExitCode:
    """Run this machine's workers until they are stopped.

    And cron, where it is this machine's. Prints the plan first, and runs nothing else.
    """
    from dlq.operations.preflight import start
    from dlq.operations.run import RunOptions
    from dlq.planning.pool import make_pool

    call: Invocation = ctx.obj
    pool = make_pool(
        machine,
        of,
        exact=exact_configuration,
        only_queue=only_queue,
        override_files=call.config,
    )
    if embedded and pidfile is not None:
        raise UsageError("--embedded is for development, in the foreground: leave out --pidfile")
    print_line = line_printer(call)
    with ExitStack() as stack:
        if embedded:
            from dlq.operations.development.embedded_server import embedded_server

            server = stack.enter_context(embedded_server())
            print_line(f"{server.description}\nLIGHTWEIGHT_QUEUE_REDIS_URL={server.url}")
        code = start(
            call.settings,
            call.config,
            pool,
            RunOptions(pidfile, touchfile, expect_pool, health_file, print_line, reload),
            show=lambda plan: _print_plan(call, plan, print_line),
            verbose=call.verbose,
        )
    return ExitCode(code)


@verb(verbs, example="dlq worker emails 1", keeps_stdout=True)
def worker(
    ctx: typer.Context,
    queue: Annotated[str, typer.Argument(metavar="QUEUE", help="Whose jobs to run.")],
    number: Annotated[
        int, typer.Argument(metavar="N", parser=whole_number, help="Which of its workers, from 1.")
    ],
    touch_file: Annotated[
        str | None,
        typer.Option("--touch-file", "--touchfile", metavar="FILE", help="Touched after each job."),
    ] = None,
    prometheus_port: Annotated[
        int | None,
        typer.Option("--prometheus-port", metavar="PORT", parser=whole_number, help="For metrics."),
    ] = None,
) -> ExitCode:
    """Run one worker in the foreground."""
    from dlq.operations.preflight import start_worker

    call: Invocation = ctx.obj
    code = start_worker(
        call.settings,
        call.config,
        queue,
        number,
        show=lambda plan: _print_warnings(call, plan),
        print_line=line_printer(call),
        touch_file=touch_file,
        metrics_port=prometheus_port,
        verbose=call.verbose,
    )
    return ExitCode(code)


@verb(verbs, example="dlq health --health-file /run/dlq/health --max-age 30s")
def health(
    ctx: typer.Context,
    file: Annotated[
        str,
        typer.Option(
            "--health-file", "--file", metavar="FILE", help="The --health-file of `dlq run`."
        ),
    ],
    max_age: Annotated[
        float,
        typer.Option(
            "--max-age", metavar="DURATION", parser=duration, help="Older means dead: 30s, 5m."
        ),
    ] = DEFAULT_LIMIT,
) -> ExitCode:
    """Check whether the runner is alive.

    From its health file, without asking a server; costs milliseconds.
    """
    from dlq.cli.commands.health import answer

    call: Invocation = ctx.obj
    words = ["--health-file", file, "--max-age", str(max_age), "--format", call.format]
    return ExitCode(answer(words))


def line_printer(call: Invocation) -> Callable[[str], None]:
    """Return what prints a line of a process that stays: at once, since somebody may wait for it in
    a pipe. As JSON, each line is a document."""
    if call.format == "json":
        import json

        from dlq.diagnostics.formats import document, iso_utc

        def as_line(text: str) -> str:
            return json.dumps(document(at=iso_utc(datetime.now(UTC)), message=text))
    else:

        def as_line(text: str) -> str:
            return text

    def print_line(text: str) -> None:
        sys.stdout.write(as_line(text) + "\n")
        sys.stdout.flush()

    return print_line


def _print_warnings(call: Invocation, plan: Plan) -> None:
    if plan.findings:
        from dlq.cli.output.findings import findings_lines

        call.screen.segments(findings_lines(plan.findings), to_err=True)


def _print_plan(call: Invocation, plan: Plan, print_line: Callable[[str], None]) -> None:
    from dlq.cli.output.plan_lines import one_line

    _print_warnings(call, plan)
    print_line(one_line(plan))
