"""From words to an exit code: the one place that catches what verbs raise.

A mistake of the user is told in words. Only what nobody foresaw gets a traceback, since it is for
us to mend.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import typer

from dlq.cli.app import app
from dlq.errors import DifferentPool, DlqError, ExitCode
from dlq.text import printable_lines

SIGPIPE_EXIT = 141
"""As a shell reports a command whose reader has gone: 128 + SIGPIPE."""


def run(words: Sequence[str]) -> int:
    try:
        code = app(args=list(words), prog_name="dlq", standalone_mode=False)
        sys.stdout.flush()
        return int(code or 0)
    except BrokenPipeError:
        return _reader_has_gone()
    except KeyboardInterrupt:
        return _interrupted()
    except typer.Abort:
        return _interrupted()
    except DlqError as error:
        _say(str(error), "-v" in words or "--verbose" in words)
        return ExitCode.DIFFERENT if isinstance(error, DifferentPool) else ExitCode.NOT_DONE
    except Exception as error:
        # Typer's own errors: their class is not public, in the versions that vendor click.
        show = getattr(error, "show", None)
        if show is None or not hasattr(error, "format_message"):
            raise
        show(file=sys.stderr)
        return ExitCode.NOT_DONE


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
