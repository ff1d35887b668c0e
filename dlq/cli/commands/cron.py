"""`dlq cron next`, `explain`, `run`, `simulate`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dlq.cli.framework.command import verb
from dlq.cli.framework.invocation import Invocation
from dlq.cli.framework.options import duration, whole_number
from dlq.cli.output.screen import Column
from dlq.diagnostics.formats import iso_utc
from dlq.errors import ExitCode

if TYPE_CHECKING:
    from dlq.project.load import Project

verbs = typer.Typer(rich_markup_mode=None)

CountOption = Annotated[
    int,
    typer.Option("--count", metavar="N", parser=whole_number, help="How many runs of each."),
]
AtOption = Annotated[
    str | None, typer.Option("--at", metavar="TIME", help="As if it were that time, ISO 8601.")
]
ZoneOption = Annotated[
    str | None, typer.Option("--timezone", metavar="TZ", help="Such as Europe/London.")
]


@verb(verbs, "next", example="dlq cron next --count 3")
def show_next(
    ctx: typer.Context, count: CountOption = 1, at: AtOption = None, timezone: ZoneOption = None
) -> ExitCode:
    """Show when each cron row fires next."""
    call: Invocation = ctx.obj
    from dlq.cli.output.text import moment
    from dlq.operations import cron as operations
    from dlq.project.load import require_settings

    project = _project(call)
    settings = require_settings(project)
    now = datetime.now(UTC)
    previews = operations.next_runs(
        project.cron.rows, settings.cron_timezone, now, count=count, at=at, timezone=timezone
    )
    if call.format == "json":
        call.print_document(rows=[_as_json(preview) for preview in previews])
        return _outcome(call, project)
    zones = {preview.timezone for preview in previews}
    one_zone = len(zones) == 1 and not any(preview.row.timezone for preview in previews)
    columns = [
        Column("COMMAND"),
        Column("QUEUE"),
        Column(f"SCHEDULE ({next(iter(zones))})" if one_zone else "SCHEDULE", gives=1),
        Column("NEXT RUN"),
        Column("READS AS", gives=2),
        Column("FROM", gives=3),
    ]
    rows = []
    for preview in previews:
        schedule = preview.row.expression
        own = preview.row.timezone or settings.cron_timezone
        text = schedule if one_zone else f"{schedule} ({own})"
        for place, at_ in enumerate(preview.runs or (None,)):
            when = "never" if at_ is None else moment(at_, preview.timezone, now)
            if place == 0:
                head = [preview.row.command, preview.row.queue, text]
                rows.append([*head, when, preview.words, preview.row.source.label])
            else:
                rows.append(["", "", "", when, "", ""])
    if rows:
        call.screen.table(columns, rows)
    else:
        call.screen.print("No cron rows.")
    return _outcome(call, project)


@verb(verbs, example="dlq cron explain '*/5 9-17 * * 1-5'")
def explain(
    ctx: typer.Context,
    expression: Annotated[
        str, typer.Argument(metavar="EXPR", help='Five fields of cron text: "*/5 9-17 * * 1-5".')
    ],
    count: CountOption = 3,
    at: AtOption = None,
    timezone: ZoneOption = None,
) -> ExitCode:
    """Say in words what a schedule means, and when it fires. Needs no project."""
    call: Invocation = ctx.obj
    from dlq.cli.output.text import moment
    from dlq.operations import cron as operations

    now = datetime.now(UTC)
    zone = timezone or _cron_timezone(call)
    found = operations.explain(expression, zone, now, count=count, at=at, timezone=timezone)
    if call.format == "json":
        call.print_document(
            expression=found.expression,
            timezone=found.timezone,
            words=found.words,
            runs=[iso_utc(run) for run in found.runs],
        )
        return ExitCode.DONE
    call.screen.print(f"{found.expression}   {found.words} ({found.timezone})")
    for run in found.runs:
        call.screen.print(f"  {moment(run, found.timezone, now)}")
    return ExitCode.DONE


@verb(
    verbs,
    example="dlq cron run nightly_report",
    interrupted="`dlq status` shows whether the job was enqueued",
)
def run(
    ctx: typer.Context,
    command: Annotated[str, typer.Argument(metavar="COMMAND", help="The command of a cron row.")],
    row: Annotated[
        int | None,
        typer.Option("--row", metavar="N", parser=whole_number, help="Which, of several rows."),
    ] = None,
) -> ExitCode:
    """Enqueue a cron row now, whenever it is due."""
    call: Invocation = ctx.obj
    from dlq.operations import cron as operations
    from dlq.project.load import require_settings

    project = _project(call)
    require_settings(project)
    done = operations.run_now(project.cron.rows, command, row=row)
    if call.format == "json":
        call.print_document(command=done.row.command, queue=done.queue)
        return ExitCode.DONE
    call.screen.print(
        f"Enqueued {done.row.command} on queue {done.queue} ({done.row.source.label})."
    )
    return ExitCode.DONE


@verb(verbs, example="dlq cron simulate --for 7d --from 2026-03-28")
def simulate(
    ctx: typer.Context,
    length: Annotated[
        float,
        typer.Option(
            "--for", metavar="DURATION", parser=duration, help="How long: 12h, 7d (the default)."
        ),
    ] = 7 * 86_400,
    recorded: Annotated[
        bool,
        typer.Option("--recorded", help="Ask the servers how long each row took last."),
    ] = False,
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="From when on, ISO 8601; by default now."),
    ] = None,
) -> ExitCode:
    """Simulate the cron rows: when do runs pile up?

    Shows runs per hour, pile-ups, overlaps and clock changes. Contacts nothing, unless --recorded
    is given. A pile-up is a minute in which more rows are due than their queue has workers; a row
    overlaps itself where it is due again before its timeout, or the time that it took last, has
    passed.
    """
    call: Invocation = ctx.obj
    from dlq.operations.inspection.simulate_cron import simulate_project, simulation_json
    from dlq.project.load import require_settings

    project = _project(call)
    found = simulate_project(
        project, datetime.now(UTC), timedelta(seconds=length), start, use_records=recorded
    )
    if call.format == "json":
        call.print_document(**simulation_json(found))
    else:
        from dlq.cli.output.inspection.simulation import print_simulation

        print_simulation(call.screen, found, require_settings(project).cron_timezone)
    return _outcome(call, project)


def _as_json(preview: Any) -> dict[str, Any]:
    row = preview.row
    return {
        "command": row.command,
        "queue": row.queue,
        "schedule": row.expression,
        "timezone": preview.timezone,
        "words": preview.words,
        "runs": [iso_utc(run) for run in preview.runs],
        "source": row.source.location,
    }


def _cron_timezone(call: Invocation) -> str:
    """The project's, where there is one: a schedule can be explained anywhere."""
    from dlq.errors import DlqError
    from dlq.project.load import load_settings

    try:
        project = load_settings(call.settings, call.config)
    except DlqError:
        if call.settings is not None or call.config:
            raise
        return "UTC"
    if project.resolution is None or project.resolution.settings is None:
        return "UTC"
    return project.resolution.settings.cron_timezone


def _project(call: Invocation) -> Project:
    from dlq.project.load import load_project

    return load_project(call.settings, call.config)


def _outcome(call: Invocation, project: Project) -> ExitCode:
    """Print what is wrong with rows, which keeps them out of the table."""
    from dlq.cli.output.findings import findings_lines
    from dlq.diagnostics.finding import errors

    call.screen.segments(findings_lines(project.cron.findings), to_err=True)
    return ExitCode.FINDINGS if errors(project.cron.findings) else ExitCode.DONE
