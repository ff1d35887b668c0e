"""Words that Typer reads: of every verb, with its help, its completion and the user's mistakes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import typer

from dlq.cli.app import app
from dlq.errors import ExitCode
from dlq.primitives.text import printable


def call(words: Sequence[str]) -> int:
    """The exit code. Raises what the verb raises, and KeyboardInterrupt."""
    try:
        code = app(args=list(words), prog_name="dlq", standalone_mode=False)
        return int(code or 0)
    except typer.Abort:
        raise KeyboardInterrupt from None
    except Exception as error:
        # Typer's own errors: their class is not public in the versions that vendor click.
        if not hasattr(error, "format_message"):
            raise
        _say_usage(error)
        return ExitCode.NOT_DONE


def _say_usage(error: Any) -> None:
    """As click does, but with what was probably meant."""
    context = getattr(error, "ctx", None)
    if context is not None and str(error.format_message()).startswith("Usage:"):
        sys.stderr.write(str(error.format_message()) + "\n")  # no words at all: the whole help
        return
    if context is not None:
        sys.stderr.write(context.get_usage() + "\n")
    if type(error).__name__ == "NoSuchOption":
        # Click's versions word it differently, and its class has no public place in each Typer.
        error.message = f"no such option: {error.option_name}"
    text = str(error.format_message())
    if meant := getattr(error, "possibilities", None):
        text = f"{str(error.message).rstrip('.')}. Did you mean {' or '.join(map(repr, meant))}?"
    elif "Did you mean" not in text and context is not None:
        text += f" ({context.command_path} --help tells more)"
    sys.stderr.write(f"error: {printable(text[:1].lower() + text[1:], 1000)}\n")
