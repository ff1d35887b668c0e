"""`dlq config show`, `explain`, `schema`: what is in force, and where it comes from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from dlq.cli.framework.command import verb
from dlq.cli.framework.invocation import Invocation
from dlq.cli.output.screen import Column
from dlq.errors import ExitCode

if TYPE_CHECKING:
    from dlq.config.resolution import Resolution

verbs = typer.Typer(rich_markup_mode=None)


@verb(verbs, example="dlq config show --config special.toml")
def show(ctx: typer.Context) -> ExitCode:
    """Show every setting: its value and where it comes from."""
    call: Invocation = ctx.obj
    from dlq.config import explain as configuration

    resolution = _resolution(call)
    if call.format == "json":
        call.print_document(settings=configuration.settings_json(resolution))
    else:
        columns = [Column("SETTING"), Column("VALUE", gives=2), Column("FROM", gives=1)]
        columns.append(Column("INSTEAD OF", gives=3))
        rows = [
            [row.name, row.value, row.source, ", ".join(row.instead_of)]
            for row in configuration.show(resolution)
        ]
        call.screen.table(columns, rows)
    return _outcome(call, resolution)


@verb(verbs, example="dlq config explain REDIS_HOST")
def explain(
    ctx: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A setting, with or without its prefix.")
    ],
) -> ExitCode:
    """Explain one setting: value, sources and purpose."""
    call: Invocation = ctx.obj
    from dlq.cli.output.tables import natural_table
    from dlq.config import explain as configuration

    resolution = _resolution(call)
    found = configuration.explain(resolution, name)
    if call.format == "json":
        call.print_document(**configuration.as_fields(found))
        return _outcome(call, resolution)
    screen = call.screen
    screen.segments([[(f"{found.name} = {found.value}", "bold")]])
    steps = [[s.role, s.source, s.value or "", s.what or ""] for s in found.steps]
    heads = [Column(""), Column(""), Column(""), Column("")]
    for line in list(natural_table(heads, [[*_safe(step)] for step in steps]))[1:]:
        screen.print(f"  {line}")
    if found.description:
        screen.print(f"  {found.description}")
    return _outcome(call, resolution)


@verb(verbs, example="dlq config schema > dlq.schema.json", formats=("json",))
def schema(ctx: typer.Context) -> ExitCode:
    """Print the JSON Schema of override files in TOML and JSON."""
    call: Invocation = ctx.obj
    from dlq.config.json_schema import schema as make_schema

    call.screen.print(json.dumps(make_schema(), indent=2))
    return ExitCode.DONE


def _safe(cells: list[str]) -> list[str]:
    from dlq.primitives.text import printable

    return [printable(cell, 500) for cell in cells]


def _resolution(call: Invocation) -> Resolution:
    """Resolve the settings, also where values are wrong. Raises ConfigurationRefused where there
    are none."""
    from dlq.diagnostics.refusal import ConfigurationRefused
    from dlq.project.load import load_settings

    project = load_settings(call.settings, call.config)
    if project.resolution is None:
        raise ConfigurationRefused("there are no settings to show", project.findings)
    return project.resolution


def _outcome(call: Invocation, resolution: Resolution) -> ExitCode:
    from dlq.cli.output.findings import findings_lines
    from dlq.diagnostics.finding import errors

    call.screen.segments(findings_lines(resolution.findings), to_err=True)
    return ExitCode.FINDINGS if errors(resolution.findings) else ExitCode.DONE
