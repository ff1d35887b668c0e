"""`manage.py queue_deduplicate`: keep the oldest of equal jobs, as `dlq deduplicate` does."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from dlq.backends.base import ProgressLogger
from dlq.cli.output.queues import deduplicated_text
from dlq.management.base import DlqCommand
from dlq.operations.queues import deduplicate, select_queues


class Command(DlqCommand):
    help = "Keep the oldest of waiting jobs that would do the same, and drop the others."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("queue", nargs="+", help="the queues to deduplicate")

    def perform(self, options: dict[str, Any]) -> None:
        names = select_queues(self.load(options), options["queue"])
        progress = ProgressLogger(self.screen.note, lambda items: items)
        for result in deduplicate(names, progress):
            self.screen.print(deduplicated_text(result))
