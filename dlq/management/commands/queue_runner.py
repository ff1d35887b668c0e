"""`manage.py queue_runner`: run the workers of this machine, as `dlq run` does."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import CommandParser

from dlq.cli.output.findings import findings_lines
from dlq.cli.output.plan_lines import one_line
from dlq.management.base import DlqCommand, override_files, whole_number
from dlq.operations.preflight import start
from dlq.operations.run import RunOptions
from dlq.planning.plan import Plan
from dlq.planning.pool import make_pool


class Command(DlqCommand):
    help = "Run the workers of this machine, and cron where it is this machine's."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--pidfile", help="go into the background and write the pid here")
        parser.add_argument(
            "--touchfile", metavar="FILE.%s", help="touched after each job; %%s is its queue"
        )
        parser.add_argument(
            "--machine",
            dest="machine_number",
            type=whole_number,
            metavar="M",
            help="which machine of the pool this is, from 1",
        )
        parser.add_argument(
            "--of",
            dest="machine_count",
            type=whole_number,
            metavar="N",
            help="how many machines the pool has",
        )
        parser.add_argument("--only-queue", metavar="QUEUE", help="only this queue's workers")
        parser.add_argument(
            "--exact-configuration",
            action="store_true",
            help="no pool: exactly the workers that the override file names, and no cron",
        )

    def perform(self, options: dict[str, Any]) -> None:
        files = override_files(options)
        pool = make_pool(
            options["machine_number"],
            options["machine_count"],
            exact=options["exact_configuration"],
            only_queue=options["only_queue"],
            override_files=files,
        )
        run_options = RunOptions(
            options["pidfile"], options["touchfile"], print_line=self.print_line
        )
        code = start(None, files, pool, run_options, show=self.show)
        if code:
            sys.exit(code)

    def show(self, plan: Plan) -> None:
        self.screen.segments(findings_lines(plan.findings), to_err=True)
        self.print_line(one_line(plan))

    def print_line(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
