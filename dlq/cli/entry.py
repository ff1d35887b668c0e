"""From words to an exit code: the one place that catches what verbs raise.

A mistake of the user is told in words. Only what nobody foresaw gets a traceback, since it is for
us to mend.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import typer

from dlq.cli.app import app
from dlq.cli.codes import exit_code
from dlq.cli.verbs import ReaderHasGone
from dlq.errors import DlqError, ExitCode
from dlq.text import printable, printable_lines

SIGPIPE_EXIT = 141
"""As a shell reports a command whose reader has gone: 128 + SIGPIPE."""


def run(words: Sequence[str]) -> int:
    try:
        code = app(args=list(words), prog_name="dlq", standalone_mode=False)
        return int(code or 0)
    except ReaderHasGone:
        return _reader_has_gone()
    except KeyboardInterrupt:
        return _interrupted()
    except typer.Abort:
        return _interrupted()
    except DlqError as error:
        findings = getattr(error, "findings", ())
        if findings:
            from dlq.cli.render import findings_lines
            from dlq.cli.screen import Screen

            screen = Screen(color=False if "--no-color" in words else None)
            screen.segments(findings_lines(findings), to_err=True)
        _say(str(error), "-v" in words or "--verbose" in words)
        return exit_code(error)
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


def _say(text: str, verbose: bool) -> None:
    if verbose:
        import traceback

        traceback.print_exc()
    sys.stderr.write(f"error: {printable_lines(text)}\n")


def _interrupted() -> int:
    sys.stderr.write("\n")
    return ExitCode.INTERRUPTED


def _reader_has_gone() -> int:
    """`dlq plan | head`: nobody listens, so there is nobody to tell. Python would flush stdout once
    more at exit, and fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return SIGPIPE_EXIT
