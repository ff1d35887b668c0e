"""Options that several verbs have: the shared ones, and which machine of which pool."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.main import get_command

from dlq.primitives.duration import parse_duration


def whole_number(text: str) -> int:
    """Parse an option's value. Raises BadParameter."""
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a whole number") from None


def count_number(text: str) -> int:
    """Parse an option's value that says how many. Raises BadParameter."""
    number = whole_number(text)
    if number < 1:
        raise typer.BadParameter(f"{number} is less than 1")
    return number


def limit_number(text: str) -> int:
    """Parse an option's value that is a limit, from 0. Raises BadParameter."""
    number = whole_number(text)
    if number < 0:
        raise typer.BadParameter(f"{number} is less than 0")
    return number


def duration(text: object) -> float:
    """Parse an option's value to seconds; Typer sends defaults through it too. Raises
    BadParameter."""
    try:
        return parse_duration(str(text))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


MachineOption = Annotated[
    int | None,
    typer.Option(
        "--machine", metavar="M", parser=whole_number, help="Which machine of the pool, from 1."
    ),
]
OfOption = Annotated[
    int | None,
    typer.Option("--of", metavar="N", parser=whole_number, help="How many machines the pool has."),
]
ExactOption = Annotated[
    bool,
    typer.Option(
        "--exact-configuration",
        help="No pool: exactly the workers that --config FILE names, and no cron.",
    ),
]
OnlyQueueOption = Annotated[
    str | None, typer.Option("--only-queue", metavar="QUEUE", help="Only this queue's workers.")
]

SHARED = ("settings", "config", "format", "no_color", "verbose")


def _declare_shared(
    settings: Annotated[
        str | None,
        typer.Option(
            "--settings", metavar="MODULE", help="Django settings module, as in shop.settings."
        ),
    ] = None,
    config: Annotated[
        list[str] | None,
        typer.Option(
            "--config",
            "--extra-settings",
            metavar="FILE",
            help="Override file (.py, .toml, .json) on top of the Django settings; repeatable.",
        ),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="How to print the result.",
            autocompletion=lambda ctx: list(getattr(ctx.command, "formats", ())),
        ),
    ] = None,
    no_color: Annotated[
        bool,
        typer.Option("--no-color", help="Plain text, also on a terminal. NO_COLOR does the same."),
    ] = False,
    verbose: Annotated[
        bool,
        typer.Option("--verbose", "-v", help="Print more: log records of DEBUG, and tracebacks."),
    ] = False,
) -> None:
    """Declare the options that every verb has. Typer makes parameters of them; nothing calls it."""


def shared_parameters(formats: tuple[str, ...]) -> list[Any]:
    """Make Typer's parameters for the shared options of a verb that prints `formats`."""
    holder = typer.Typer(add_completion=False)
    holder.command()(_declare_shared)
    parameters: list[Any] = [p for p in get_command(holder).params if p.name in SHARED]
    for parameter in parameters:
        if parameter.name == "format" and formats:
            parameter.metavar = "|".join(formats)
    return parameters
