"""`manage.py queue_pause`: let no job of a queue start for a while, as `dlq pause` does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import CommandParser

from dlq.cli.output.queues import paused_text
from dlq.management.base import DlqCommand
from dlq.operations.queues import pause, pause_until, select_queues
from dlq.primitives.duration import parse_duration

TIME_FORMAT = "%Y-%m-%dT%H:%M:%S%z"
"""The format of `--until` in 4.11."""


def parse_duration_to_time(duration: str) -> datetime:
    """The time at which a duration from now has passed. For code of 4.11. Raises ValueError."""
    return datetime.now(UTC) + timedelta(seconds=parse_duration(duration))


class Command(DlqCommand):
    help = "Pause queues: jobs that run go on, new ones can be enqueued, and none is started."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("queue", nargs="+", help="the queues to pause")
        group = parser.add_mutually_exclusive_group(required=True)
        group.add_argument("--for", dest="duration", metavar="1h2m3s", help="how long")
        group.add_argument(
            "--until",
            metavar="TIME",
            help="until when, ISO 8601 with a time zone: 2026-01-31T08:00:00+0000",
        )

    def perform(self, options: dict[str, Any]) -> None:
        until = options["until"]
        if isinstance(until, datetime):  # from call_command, as 4.11 took it
            until = until.isoformat()
        end = pause_until(options["duration"], until, datetime.now(UTC))
        names = select_queues(self.load(options, tolerant=True), options["queue"], self.screen.note)
        pause(names, end)
        for name in names:
            self.screen.print(paused_text(name, end))
