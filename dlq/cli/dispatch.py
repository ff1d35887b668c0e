"""From words to an exit code: the one place that catches what verbs raise.

A mistake of the user is told in words. Only what nobody foresaw gets a traceback, since it is for
us to mend.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from dlq.cli.framework.exit_codes import exit_code
from dlq.cli.framework.invocation import Call, PlanWords, ReaderHasGone, RunWords, flushed
from dlq.cli.framework.plain_words import plain_words
from dlq.errors import DlqError, ExitCode
from dlq.primitives.text import printable_lines

SIGPIPE_EXIT = 141
"""As a shell reports a command whose reader has gone: 128 + SIGPIPE."""


def run(words: Sequence[str]) -> int:
    try:
        return _call(words)
    except ReaderHasGone:
        return _reader_has_gone()
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        return ExitCode.INTERRUPTED
    except DlqError as error:
        findings = getattr(error, "findings", ())
        if findings:
            from dlq.cli.output.findings import findings_lines
            from dlq.cli.output.screen import Screen

            screen = Screen(color=False if "--no-color" in words else None)
            screen.segments(findings_lines(findings), to_err=True)
        _say(str(error), "-v" in words or "--verbose" in words)
        return exit_code(error)


def _call(words: Sequence[str]) -> int:
    """Raises what the verb raises."""
    understood = plain_words(words, os.environ)
    if understood is not None:
        return flushed(lambda: _do(*understood))
    from dlq.cli.framework.typer_words import call

    return call(words)


def _do(call: Call, words: RunWords | PlanWords) -> int:
    if isinstance(words, RunWords):
        from dlq.cli.commands.running import run

        return run(call, words)
    from dlq.cli.commands.planning import show

    return show(call, words)


def _say(text: str, verbose: bool) -> None:
    if verbose:
        import traceback

        traceback.print_exc()
    sys.stderr.write(f"error: {printable_lines(text)}\n")


def _reader_has_gone() -> int:
    """`dlq plan | head`: nobody listens, so there is nobody to tell. Python would flush stdout once
    more at exit, and fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return SIGPIPE_EXIT
