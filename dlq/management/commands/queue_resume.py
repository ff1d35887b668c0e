"""`manage.py queue_resume`: end a pause now, as `dlq resume` does."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from dlq.cli.output.queues import resume_text
from dlq.management.base import DlqCommand
from dlq.operations.queues import resume, select_queues


class Command(DlqCommand):
    help = "End the pause of queues now."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("queue", nargs="+", help="the queues to resume")

    def perform(self, options: dict[str, Any]) -> None:
        names = select_queues(self.load(options, tolerant=True), options["queue"], self.screen.note)
        resume(names)
        for name in names:
            self.screen.print(resume_text(name))
