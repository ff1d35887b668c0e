"""The error for a configuration that dlq refuses to start with or to act on."""

from __future__ import annotations

from collections.abc import Iterable

from dlq.diagnostics.finding import Finding
from dlq.errors import DlqError, ExitCode


class ConfigurationRefused(DlqError):
    """The configuration doesn't allow what was asked for. `findings` say why; the text says what
    was not done; `exit_code` is the command's."""

    def __init__(
        self, message: str, findings: Iterable[Finding], exit_code: ExitCode = ExitCode.NOT_DONE
    ) -> None:
        super().__init__(message)
        self.findings = tuple(findings)
        self.exit_code = exit_code
