"""`dlq run`, `dlq worker`, `dlq health`: processes that stay."""

from __future__ import annotations

from typing import Annotated

import typer

from dlq.cli.framework.command import verb
from dlq.cli.framework.invocation import Call, RunWords
from dlq.cli.framework.options import (
    ExactOption,
    MachineOption,
    OfOption,
    OnlyQueueOption,
    whole_number,
)
from dlq.errors import ExitCode

verbs = typer.Typer(rich_markup_mode=None)

EmbeddedOption = Annotated[
    bool,
    typer.Option("--embedded", help="Start a private, temporary Valkey with it, for development."),
]


@verb(verbs)
def run(
    call: Call,
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
            "--touchfile", metavar="FILE.%s", help="Touched after each job; %s is its queue."
        ),
    ] = None,
    health_file: Annotated[
        str | None,
        typer.Option("--health-file", metavar="FILE", help="Kept fresh, for `dlq health`."),
    ] = None,
    embedded: EmbeddedOption = False,
) -> ExitCode:
    """Run this machine's workers until told to stop.

    And cron, where it is this machine's. Prints the plan first, and runs nothing else.
    """
    from dlq.cli.commands.running import run as run_words

    words = RunWords(
        machine,
        of,
        exact_configuration,
        only_queue,
        expect_pool,
        pidfile,
        touchfile,
        health_file,
        embedded,
    )
    return run_words(call, words)


@verb(verbs)
def worker(
    call: Call,
    queue: Annotated[str, typer.Argument(metavar="QUEUE", help="Whose jobs to run.")],
    number: Annotated[
        int, typer.Argument(metavar="N", parser=whole_number, help="Which of its workers, from 1.")
    ],
    touch_file: Annotated[
        str | None, typer.Option("--touch-file", metavar="FILE", help="Touched after each job.")
    ] = None,
    prometheus_port: Annotated[
        int | None,
        typer.Option("--prometheus-port", metavar="PORT", parser=whole_number, help="For metrics."),
    ] = None,
) -> ExitCode:
    """Run one worker in the foreground."""
    from dlq.cli.commands.running import say, warn
    from dlq.operations.preflight import start_worker

    code = start_worker(
        call.settings,
        call.config,
        queue,
        number,
        show=lambda plan: warn(call, plan),
        announce=say,
        touch_file=touch_file,
        metrics_port=prometheus_port,
        verbose=call.verbose,
    )
    return ExitCode(code)


@verb(verbs)
def health(
    call: Call,
    file: Annotated[
        str, typer.Option("--file", metavar="F", help="The --health-file of `dlq run`.")
    ],
    max_age: Annotated[
        float, typer.Option("--max-age", metavar="SECONDS", help="Older means dead.")
    ] = 30.0,
) -> ExitCode:
    """Tell whether the runner is alive.

    From its health file, without asking a server; costs milliseconds.
    """
    from dlq.cli.commands.health import answer

    return ExitCode(answer(["--file", file, "--max-age", str(max_age)]))
