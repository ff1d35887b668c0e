"""What the manage.py commands share: the override file, and how a refusal is reported.

They are the commands of django-lightweight-queue 4.11 with its flags; what they do is in
`dlq.operations`, as for the verbs of the command line.
"""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from dlq.cli.dispatch import print_findings
from dlq.cli.framework.streams import prepare_streams
from dlq.cli.output.findings import findings_lines
from dlq.cli.output.screen import Screen
from dlq.errors import DlqError
from dlq.project.load import Project, load_project, tolerate_violations, tolerated


class DlqCommand(BaseCommand):
    """Subclasses have `perform`, which may raise DlqError."""

    # The commands look at the configuration themselves, and report more of it.
    requires_system_checks = ()

    def __init__(self, *args: Any, **options: Any) -> None:
        prepare_streams()
        super().__init__(*args, **options)

    def add_arguments(self, parser: CommandParser) -> None:
        # Django has this option only for commands that it makes system checks for.
        parser.add_argument("--skip-checks", action="store_true", help="accepted, without effect")
        group = parser.add_mutually_exclusive_group()
        for option in ("--extra-settings", "--config"):
            group.add_argument(
                option,
                action="append",
                default=None,
                metavar="FILE",
                help="override file (.py, .toml, .json) on top of the Django settings;"
                " may be repeated",
            )

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError, with the exit code that `dlq` would have."""
        self.screen = Screen(
            self.stdout,  # type: ignore[arg-type]  # Django's wrapper writes and knows isatty
            self.stderr,  # type: ignore[arg-type]  # the same
            color=False if options.get("no_color") else None,
        )
        try:
            self.perform(options)
        except DlqError as error:
            print_findings(error, self.screen)
            raise CommandError(str(error), returncode=int(error.exit_code)) from None

    def perform(self, options: dict[str, Any]) -> None:
        raise NotImplementedError

    def load(self, options: dict[str, Any], *, tolerant: bool = False) -> Project:
        """`tolerant`: mistakes in settings that don't say which server is meant are warnings."""
        project = load_project(None, override_files(options))
        if tolerant:
            project = tolerate_violations(project)
            self.screen.segments(findings_lines(tolerated(project)), to_err=True)
        return project


def override_files(options: dict[str, Any]) -> tuple[str, ...]:
    """The override files of either spelling, from the command line or from `call_command`."""
    given = options.get("extra_settings") or options.get("config") or ()
    return (given,) if isinstance(given, str) else tuple(given)


def whole_number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
