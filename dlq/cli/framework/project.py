"""The project of a verb that looks at the servers, or stops something there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlq.cli.framework.invocation import Invocation

if TYPE_CHECKING:
    from dlq.project.load import Project


def load_to_operate(call: Invocation) -> Project:
    """Load the project with what is valid in it; its mistakes are printed as warnings."""
    from dlq.cli.output.findings import findings_lines
    from dlq.project.load import load_project, tolerate_violations, tolerated

    project = tolerate_violations(load_project(call.settings, call.config))
    if warnings := tolerated(project):
        call.screen.segments(findings_lines(warnings), to_err=True)
    return project
