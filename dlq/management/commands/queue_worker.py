"""`manage.py queue_worker`: run one worker in the foreground, as `dlq worker` does."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import CommandParser

from dlq.cli.output.findings import findings_lines
from dlq.management.base import DlqCommand, override_files, whole_number
from dlq.operations.preflight import start_worker
from dlq.planning.plan import Plan


class Command(DlqCommand):
    help = "Run one worker of a queue in the foreground."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("queue", help="whose jobs to run")
        parser.add_argument(
            "number", type=whole_number, help="which of the queue's workers this is, from 1"
        )
        parser.add_argument("--prometheus-port", type=whole_number, help="where to serve metrics")
        parser.add_argument(
            "--touch-file", dest="touch_filename", metavar="FILE", help="touched after each job"
        )

    def perform(self, options: dict[str, Any]) -> None:
        code = start_worker(
            None,
            override_files(options),
            options["queue"],
            options["number"],
            show=self.show,
            print_line=self.print_line,
            touch_file=options["touch_filename"],
            metrics_port=options["prometheus_port"],
            any_number=True,
        )
        if code:
            sys.exit(code)

    def show(self, plan: Plan) -> None:
        self.screen.segments(findings_lines(plan.findings), to_err=True)

    def print_line(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
