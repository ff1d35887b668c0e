"""Run a command line and turn what its verb raises into an exit code, in this one place.

A mistake of the user is reported in words. Only what was not foreseen gets a traceback, since it
is ours to fix.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dlq.diagnostics.refusal import ConfigurationRefused
from dlq.errors import DlqError, Interrupted
from dlq.primitives.text import printable_lines

if TYPE_CHECKING:
    from dlq.cli.output.screen import Screen


def run(words: Sequence[str]) -> int:
    from dlq.cli.app import app

    try:
        return int(app(args=list(words), prog_name="dlq", standalone_mode=False) or 0)
    except DlqError as error:
        _report(error, words)
        return error.exit_code


def print_findings(error: DlqError, screen: Screen) -> None:
    """Print the findings of a refusal, wherever its text is printed."""
    if isinstance(error, ConfigurationRefused):
        from dlq.cli.output.findings import findings_lines

        screen.segments(findings_lines(error.findings), to_err=True)


def _report(error: DlqError, words: Sequence[str]) -> None:
    from dlq.cli.output.screen import Screen

    if "-v" in words or "--verbose" in words:
        import traceback

        traceback.print_exc()
    print_findings(error, Screen(color=False if "--no-color" in words else None))
    label = "\ninterrupted" if isinstance(error, Interrupted) else "error"
    sys.stderr.write(f"{label}: {printable_lines(str(error))}\n")
