"""The commands that Typer makes for verbs and for groups of verbs.

A verb is a function that takes `ctx: typer.Context` first and its own options after it; `ctx.obj`
is its `Invocation`. To add one:

    @verb(verbs, example="dlq size emails")
    def size(ctx: typer.Context, queue: QueueArgument) -> ExitCode:
        '''Print how many jobs wait.'''

and a line in `dlq.cli.app`. The shared options (`--settings`, `--config`, `--format`, ...) belong
to the command class, so that no verb declares them; `--settings` and its like may also stand
before the verb. Each verb prints text and, with `call.print_document`, JSON. A word that Typer
refuses becomes a UsageError, so that `dlq.cli.dispatch` reports everything in one way.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from difflib import get_close_matches
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from dlq.cli.framework.invocation import Invocation
from dlq.cli.framework.options import SHARED, shared_parameters
from dlq.errors import ExitCode, Interrupted, UsageError

READER_GONE = 141
"""The exit code of a command whose reader has gone, as a shell reports it: 128 + SIGPIPE."""

NOTHING_CHANGED = "nothing was changed"


class VerbCommand(TyperCommand):
    """A verb with the shared options. `verb` makes a subclass with the three facts for each."""

    formats: tuple[str, ...] = ()
    interrupted: str = NOTHING_CHANGED
    keeps_stdout: bool = False

    def __init__(self, name: str | None, **options: Any) -> None:
        super().__init__(name, **options)
        self.params += shared_parameters(self.formats)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except typer.TyperException as error:
            raise usage_error(error, ctx) from None

    def invoke(self, ctx: Any) -> int:
        call = take_shared_options(ctx)
        call = call._replace(format=self._format(call.format, ctx.command_path))
        out = sys.stdout
        with ExitStack() as stack:
            if call.format != "text" and not self.keeps_stdout:
                call = stack.enter_context(call.results_apart())
                out = call.out or out
            ctx.obj = call
            try:
                code = super().invoke(ctx)
                out.flush()
            except BrokenPipeError:
                # `dlq plan | head`. Python would flush both once more at exit, and fail again.
                nowhere = os.open(os.devnull, os.O_WRONLY)
                for stream in {out.fileno(), 1}:
                    os.dup2(nowhere, stream)
                return READER_GONE
            except KeyboardInterrupt:
                raise Interrupted(self.interrupted) from None
        return int(code or ExitCode.DONE)

    def _format(self, wanted: str, path: str) -> str:
        if not wanted or wanted in self.formats:
            return wanted or self.formats[0]
        hint = _did_you_mean(wanted, self.formats)
        raise UsageError(f"--format {wanted!r}: {path} prints {', '.join(self.formats)}{hint}")


class VerbGroup(TyperGroup):
    """A group of verbs; the shared options may stand before the verb."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.params += shared_parameters(())

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args and not ctx.resilient_parsing:
            sys.stderr.write(ctx.get_help() + "\n")
            raise typer.Exit(ExitCode.NOT_DONE)
        try:
            return super().parse_args(ctx, args)
        except typer.TyperException as error:
            raise usage_error(error, ctx) from None

    def invoke(self, ctx: Any) -> Any:
        ctx.obj = take_shared_options(ctx)
        return super().invoke(ctx)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name = args[0]
        if name not in self.list_commands(ctx) and not ctx.resilient_parsing:
            hint = _did_you_mean(name, self.list_commands(ctx))
            raise UsageError(f"no such command {name!r}{hint} ({ctx.command_path} --help)")
        return name, self.get_command(ctx, name), args[1:]


def verb(
    app: typer.Typer,
    name: str | None = None,
    *,
    example: str,
    formats: tuple[str, ...] = ("text", "json"),
    interrupted: str = NOTHING_CHANGED,
    keeps_stdout: bool = False,
) -> Callable[[Callable[..., ExitCode]], Callable[..., ExitCode]]:
    """Make a function a verb of `app`.

    `example` is a command line for the help. `formats` are those that it prints, its default first.
    `interrupted` is what Ctrl-C leaves behind, for a verb that changes something and doesn't raise
    Interrupted with figures. `keeps_stdout`: processes that stay, whose jobs may print.
    """
    facts = {"formats": formats, "interrupted": interrupted, "keeps_stdout": keeps_stdout}
    return app.command(name, cls=type("Verb", (VerbCommand,), facts), epilog=f"Example: {example}")


def take_shared_options(ctx: Any) -> Invocation:
    above = ctx.obj if isinstance(ctx.obj, Invocation) else Invocation()
    return above.with_options(**{name: ctx.params.pop(name) for name in SHARED})


def usage_error(error: typer.TyperException, ctx: Any) -> UsageError:
    """The same mistake in dlq's words, with what was probably meant."""
    said = error.format_message() if isinstance(error, typer.BadParameter) else error.message
    said = said[:1].lower() + said[1:].rstrip(".")
    if said.startswith("no such option"):
        names = [name for parameter in ctx.command.params for name in parameter.opts]
        said += _did_you_mean(said.partition(": ")[2], names)
    return UsageError(f"{said} ({ctx.command_path} --help)")


def _did_you_mean(word: str, words: Any) -> str:
    close = get_close_matches(word, list(words), 1)
    return f"; did you mean {close[0]!r}?" if close else ""
