"""`manage.py queue_clear`: drop all waiting jobs of a queue, as `dlq clear` does."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from dlq.cli.output.queues import clear_question, cleared_text
from dlq.errors import UsageError
from dlq.management.base import DlqCommand
from dlq.operations.queues import clear, require_clearing, select_queues, waiting


class Command(DlqCommand):
    help = "Drop all waiting jobs of queues. Jobs that run are left alone."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("queue", nargs="+", help="the queues to clear")
        parser.add_argument(
            "--yes", dest="skip_prompt", action="store_true", help="don't ask before"
        )

    def perform(self, options: dict[str, Any]) -> None:
        names = select_queues(self.load(options), options["queue"])
        require_clearing(names)
        if not options["skip_prompt"]:
            # As in 4.11, the answer may also come from a pipe: `echo y | manage.py queue_clear q`.
            question = clear_question(waiting(names))
            answer = self.screen.answer(question)
            if answer is None:
                raise UsageError(f"{question} stdin has no answer: add --yes")
            if not answer:
                raise CommandError("nothing was done")
        for name, count in clear(names).items():
            self.screen.print(cleared_text(name, count))
