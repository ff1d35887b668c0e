"""The exit code that an error leads to, whichever skin it is told in."""

from __future__ import annotations

from dlq.errors import DifferentPool, DlqError, ExitCode


def exit_code(error: DlqError) -> ExitCode:
    if isinstance(error, DifferentPool):
        return ExitCode.DIFFERENT
    return ExitCode(getattr(error, "exit_code", ExitCode.NOT_DONE))
