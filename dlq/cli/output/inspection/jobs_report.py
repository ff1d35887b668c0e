"""What `dlq check --jobs` found, on the screen."""

from __future__ import annotations

from dlq.cli.output.screen import Screen
from dlq.cli.output.tables import Column
from dlq.operations.inspection.check_jobs import JobsReport, locations_text
from dlq.primitives.text import printable

UNREADABLE = "(cannot be read)"
"""Stands for the task of bytes that are no job."""


def print_jobs_report(screen: Screen, report: JobsReport) -> None:
    if report.groups:
        screen.table(
            [Column("JOBS", right=True), Column("TASK"), Column("WHY", gives=1), Column("WHERE")],
            [
                [
                    f"{group.jobs:,}",
                    group.task or UNREADABLE,
                    group.fit.text,
                    locations_text(group),
                ]
                for group in report.groups
            ],
        )
        screen.print()
    for group in report.groups:
        screen.segments(
            [[(printable(group.task) or UNREADABLE, "bold"), (f": {group.fit.text}", "")]]
        )
        if group.fit.help:
            screen.print(f"  {printable(group.fit.help, 300)}")
        for example in group.examples:
            stored = f", stored {example.created[:19]}" if example.created else ""
            screen.print(
                f"  {example.state} in {printable(example.queue)}{stored}: ({example.arguments})"
            )
        screen.print()
    if report.others:
        screen.print(f"and {report.others:,} jobs of other groups")
    screen.print(report.summary)
