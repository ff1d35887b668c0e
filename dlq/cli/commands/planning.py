"""What `dlq plan` does with its words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dlq.cli.framework.invocation import Call, PlanWords
from dlq.cli.framework.pool_words import pool_of
from dlq.errors import ExitCode
from dlq.planning.document import as_text, plan_json
from dlq.planning.plan import make_plan
from dlq.project.load import load_project

if TYPE_CHECKING:
    from dlq.cli.output.screen import Screen
    from dlq.planning.plan import Plan
    from dlq.project.load import Project


def show(call: Call, words: PlanWords) -> ExitCode:
    pool = pool_of(call, words, whole=True)
    project = load_project(call.settings, call.config, exact=pool.exact)
    plan = make_plan(project, pool)
    now = datetime.now(UTC)
    if call.format == "json":
        call.screen.print(as_text(plan_json(plan, now)))
    else:
        _print_plan(call.screen, plan, project, now)
    if not project.is_readable:
        return ExitCode.NOT_DONE
    return ExitCode.DONE if plan.is_valid else ExitCode.FINDINGS


def _print_plan(screen: Screen, plan: Plan, project: Project, now: datetime) -> None:
    from dlq.cli.output import plan as plan_text
    from dlq.cli.output.findings import count_text, findings_lines
    from dlq.cli.output.plan_lines import title
    from dlq.planning.implied_queues import implied_by_tasks

    dealt, resolution = plan.split, plan.resolution
    if dealt is not None and resolution is not None and resolution.settings is not None:
        screen.segments([[(title(plan), "bold")], []])
        if plan.pool.machine is None:
            screen.table(*plan_text.matrix(plan, dealt))
        else:
            if dealt.workers:
                screen.table(*plan_text.machine_table(plan, dealt))
                screen.print()
            for line in plan_text.summary(plan, dealt):
                screen.print(line)
            others = [*implied_by_tasks(project.declarations), *_hidden_queues(project)]
            others += [row.queue for row in project.cron.rows]
            missing = plan_text.not_here(plan, dealt, others)
            if missing is not None:
                screen.print(missing)
        if plan.runs_cron:
            screen.print()
            screen.table(*plan_text.cron_table(plan, resolution.settings, now))
        if plan.findings:
            screen.print()
    if plan.findings:
        screen.segments(findings_lines(plan.findings))
    count = count_text(plan.findings)
    if not plan.is_valid:
        screen.print(f"Not valid: {count}.")
    elif plan.findings:
        screen.print(f"Valid, with {count}.")


def _hidden_queues(project: Project) -> list[str]:
    """The queues of the WORKERS that an override file hides."""
    if project.resolution is None:
        return []
    hidden = project.resolution.values["WORKERS"].hides
    return [
        name
        for value in hidden
        if isinstance(value.value, Mapping)
        for name in value.value
        if isinstance(name, str)
    ]
