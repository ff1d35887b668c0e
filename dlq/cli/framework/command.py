"""What every verb shares: the options that may stand before or after it, and how it is called.

A verb is a function that takes a `Call` first and its own options after it. `verb` adds the shared
options to its signature, so that they are in its help and in shell completion; what was given
before the verb and what was given after it is put together here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

import typer

from dlq.cli.framework.invocation import Call, flushed
from dlq.errors import ExitCode, UsageError

SettingsOption = Annotated[
    str | None,
    typer.Option(
        "--settings", metavar="MODULE", help="Django settings module, as in shop.settings."
    ),
]
ConfigOption = Annotated[
    list[str] | None,
    typer.Option(
        "--config",
        "--extra-settings",
        metavar="FILE",
        help="Override file (.py, .toml, .json) on top of the Django settings; may be repeated.",
    ),
]
NoColorOption = Annotated[
    bool, typer.Option("--no-color", help="Plain text, also on a terminal. NO_COLOR does the same.")
]
VerboseOption = Annotated[
    bool, typer.Option("--verbose", "-v", help="Say more: log records of DEBUG, and tracebacks.")
]


def print_version(wanted: bool) -> None:
    if wanted:
        from dlq import __version__

        typer.echo(f"dlq {__version__}")
        raise typer.Exit


VersionOption = Annotated[
    bool,
    typer.Option("--version", callback=print_version, is_eager=True, help="Print the version."),
]


def shared_options(
    ctx: typer.Context,
    settings: SettingsOption = None,
    config: ConfigOption = None,
    format: Annotated[
        str | None,
        typer.Option("--format", metavar="FORMAT", help="How to print: text, json, … by the verb."),
    ] = None,
    no_color: NoColorOption = False,
    verbose: VerboseOption = False,
    version: VersionOption = False,
) -> None:
    """The callback of the app and of each group of verbs."""
    above = ctx.obj if isinstance(ctx.obj, Call) else Call()
    ctx.obj = above.with_words(settings, config, format, no_color, verbose)


def verb(
    app: typer.Typer, name: str | None = None, *, formats: tuple[str, ...] = ("text",)
) -> Callable[[Callable[..., ExitCode | None]], Callable[..., Any]]:
    """Make a function a verb of `app`. `formats` are those that it can print, its default first."""

    def decorate(function: Callable[..., ExitCode | None]) -> Callable[..., Any]:
        own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
        shared = _shared_parameters(formats)

        @wraps(function)
        def called(ctx: typer.Context, **words: Any) -> int:
            above = ctx.obj if isinstance(ctx.obj, Call) else Call()
            call = above.with_words(**{name: words.pop(name, None) for name in SHARED})
            words.pop("version", None)
            chosen = call._replace(format=_one_of(formats, call.format, ctx.command_path))
            return int(flushed(lambda: function(chosen, **words) or ExitCode.DONE))

        parameters = [
            inspect.Parameter(
                "ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context
            ),
            *(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own),
            *shared,
        ]
        # Typer reads both: the names and defaults from the one, the types from the other.
        command: Any = called
        command.__signature__ = inspect.Signature(parameters)
        command.__annotations__ = {p.name: p.annotation for p in parameters}
        del command.__wrapped__  # or typing would look through it, at the function
        app.command(name)(command)
        return called

    return decorate


SHARED = ("settings", "config", "format", "no_color", "verbose")


def _shared_parameters(formats: tuple[str, ...]) -> list[inspect.Parameter]:
    format_option = Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="|".join(formats),
            help=f"How to print; {formats[0]} by default.",
            autocompletion=lambda: list(formats),
            hidden=len(formats) == 1,
        ),
    ]
    hidden_version = Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, hidden=True)
    ]
    kinds: list[tuple[str, Any, Any]] = [
        ("settings", SettingsOption, None),
        ("config", ConfigOption, None),
        ("format", format_option, None),
        ("no_color", NoColorOption, False),
        ("verbose", VerboseOption, False),
        ("version", hidden_version, False),
    ]
    return [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, kind, default in kinds
    ]


def _one_of(formats: tuple[str, ...], wanted: str | None, path: str) -> str:
    if wanted is None:
        return formats[0]
    if wanted in formats:
        return wanted
    from difflib import get_close_matches

    close = get_close_matches(wanted, formats, 1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise UsageError(f"--format {wanted!r}: {path} prints {', '.join(formats)}{hint}")
