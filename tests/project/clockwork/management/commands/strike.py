"""What the cron row runs: it writes into the ledger."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from tests.kit.ledger import record


class Command(BaseCommand):
    help = "Note in the ledger that it was run."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what")

    def handle(self, *args: Any, what: str, **options: Any) -> None:
        record("struck", what)
