"""`dlq plan`, `dlq check`, `dlq explain`: what would run, and what is wrong with it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dlq.cli.call import Call
from dlq.cli.options import ExactOption, MachineOption, OfOption, OnlyQueueOption
from dlq.cli.verbs import verb
from dlq.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from dlq.cli.screen import Screen
    from dlq.operations.plan import Plan
    from dlq.operations.project import Project

verbs = typer.Typer(rich_markup_mode=None)


@verb(verbs, "plan", formats=("text", "json"))
def show_plan(
    call: Call,
    machine: MachineOption = None,
    of: OfOption = None,
    exact_configuration: ExactOption = False,
    only_queue: OnlyQueueOption = None,
) -> ExitCode:
    """Show what each machine would run.

    Starts nothing, contacts nothing. --machine M --of N shows one machine, --of N alone the
    whole pool.
    """
    from dlq.operations.plan import make_plan
    from dlq.operations.plan_document import as_text, plan_json
    from dlq.operations.pool import make_pool
    from dlq.operations.project import load_project

    pool = make_pool(
        machine,
        of,
        exact=exact_configuration,
        only_queue=only_queue,
        override_files=call.config,
        whole=True,
    )
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
    from dlq.cli import plan_text
    from dlq.cli.plan_lines import title
    from dlq.cli.render import count_text, findings_lines
    from dlq.operations.declared import implied_by_tasks

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
    from collections.abc import Mapping

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


@verb(verbs, formats=("text", "concise", "json", "github", "sarif"))
def check(
    call: Call,
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CRON.PY]...", help="Check these files instead of the project."),
    ] = None,
    of: OfOption = None,
    no_django: Annotated[
        bool, typer.Option("--no-django", help="Only read the files; run no code of the project.")
    ] = False,
    fail_on: Annotated[
        str, typer.Option("--fail-on", metavar="error|warning", help="What makes it exit with 1.")
    ] = "error",
) -> ExitCode:
    """Find every mistake in settings and cron.py files.

    Override files, backends and middleware included; contacts no server.
    """
    from dlq.operations.check import check_cron_files, check_project

    if fail_on not in {"error", "warning"}:
        raise UsageError(f"--fail-on {fail_on!r}: say error or warning")
    if no_django and not files:
        raise UsageError("--no-django checks single files: dlq check --no-django orders/cron.py")
    if files:
        report = check_cron_files(files, call.settings, call.config, django=not no_django)
    else:
        report = check_project(call.settings, call.config, of)
    _print_report(call, report)
    return report.exit_code(fail_on)


def _print_report(call: Call, report: Report) -> None:
    from dlq import reports
    from dlq.cli.render import findings_lines
    from dlq.operations.checkout import repository_root

    screen = call.screen
    here = Path.cwd()
    if call.format == "text":
        screen.segments(findings_lines(report.findings))
        screen.print(report.summary)
        return
    root = repository_root(here)
    if call.format == "github":
        text = reports.github(report.findings, here=here, root=root)
    elif call.format == "sarif":
        text = reports.sarif(report.findings, here=here, root=root)
    elif call.format == "json":
        text = reports.as_json(report.findings)
    else:
        text = reports.concise(report.findings)
    if text:
        screen.print(text.rstrip("\n"))
    # Whoever reads a machine's format still learns from the log what was looked at.
    screen.note(report.summary)


@verb(verbs)
def explain(
    call: Call,
    id: Annotated[
        str, typer.Argument(metavar="ID", help="The id of a finding, such as E204 or dlq.E204.")
    ],
) -> ExitCode:
    """Print the long text of a finding."""
    from difflib import get_close_matches

    from dlq.rules import RULES

    code = id.strip().upper().removeprefix("DLQ.")
    rule = RULES.get(code)
    if rule is None:
        close = get_close_matches(code, RULES, 3)
        hint = f"did you mean {', '.join(close)}?" if close else "ids look like E204"
        raise UsageError(f"no finding has the id {id!r}: {hint}")
    call.screen.segments([[(f"{rule.level}[{rule.id}]", rule.level), (f": {rule.title}", "bold")]])
    call.screen.print()
    call.screen.print(rule.text.rstrip("\n"))
    return ExitCode.DONE


if TYPE_CHECKING:
    from dlq.operations.check import Report
