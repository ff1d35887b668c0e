"""`manage.py queue_configuration`: the queues, middleware and cron rows of this configuration."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from dlq.cli.output.findings import findings_lines
from dlq.cli.output.plan import configuration_tables
from dlq.diagnostics.refusal import ConfigurationRefused
from dlq.errors import ExitCode
from dlq.management.base import DlqCommand
from dlq.planning.plan import make_plan
from dlq.planning.split import Pool


class Command(DlqCommand):
    help = "Show the queues, the middleware and the cron rows. `dlq plan` shows more."

    def perform(self, options: dict[str, Any]) -> None:
        plan = make_plan(self.load(options), Pool())
        if not plan.is_valid or plan.resolution is None or plan.resolution.settings is None:
            raise ConfigurationRefused(
                "the configuration has errors", plan.findings, ExitCode.FINDINGS
            )
        settings = plan.resolution.settings
        for title, columns, rows in configuration_tables(plan, settings, datetime.now(UTC)):
            self.screen.print(title)
            self.screen.table(columns, rows)
            self.screen.print()
        self.screen.segments(findings_lines(plan.findings), to_err=True)
