"""`dlq plan`, `dlq check`, `dlq explain`: what would run, and what is wrong with it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dlq.cli.framework.command import verb
from dlq.cli.framework.invocation import Invocation
from dlq.cli.framework.options import ExactOption, MachineOption, OfOption, OnlyQueueOption
from dlq.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dlq.operations.check import Report
    from dlq.operations.inspection.explanation import Explanation
    from dlq.planning.comparison import PoolPlan

verbs = typer.Typer(rich_markup_mode=None)

DiffOption = Annotated[
    str | None,
    typer.Option(
        "--diff",
        metavar="OLD",
        help="Compare with OLD: a saved plan (JSON), live, or another plan's options in quotes.",
    ),
]


@verb(
    verbs,
    "plan",
    example="dlq plan --machine 1 --of 3 --config special.toml",
    formats=("text", "json", "markdown"),
)
def show_plan(
    ctx: typer.Context,
    machine: MachineOption = None,
    of: OfOption = None,
    exact_configuration: ExactOption = False,
    only_queue: OnlyQueueOption = None,
    diff: DiffOption = None,
) -> ExitCode:
    """Show what each machine would run.

    Starts nothing, and contacts nothing but with --diff live. --machine M --of N shows one
    machine, --of N alone the whole pool. --diff OLD compares it with another plan: it exits with 0
    where both are the same and with 3 where they differ. Without options of a pool, the pool of
    OLD is planned.
    """
    from dlq.planning.document import plan_json
    from dlq.planning.plan import make_plan
    from dlq.planning.pool import make_pool
    from dlq.project.load import load_project

    call: Invocation = ctx.obj
    if diff is None and call.format == "markdown":
        raise UsageError("--format markdown goes with --diff OLD: a plan prints text or json")
    takes_pool_of_old = diff is not None and not any((machine, of, only_queue, exact_configuration))
    pool = make_pool(
        machine,
        of,
        exact=exact_configuration,
        only_queue=only_queue,
        override_files=call.config,
        whole=True,
    )
    project = load_project(call.settings, call.config, exact=pool.exact)
    old = None
    if diff is not None:
        from dlq.operations.inspection.compare_plans import read_old_plan

        old = read_old_plan(diff, call.settings, project)
        if takes_pool_of_old:
            pool = make_pool(None, old.of, only_queue=old.only_queue, whole=True)
    plan = make_plan(project, pool)
    now = datetime.now(UTC)
    if old is not None and plan.is_valid:
        return _print_comparison(call, old, plan_json(plan, now))
    if call.format == "json":
        call.print_document(**plan_json(plan, now))
    else:
        from dlq.cli.output.plan import print_plan

        print_plan(call.screen, plan, project, now)
    if not project.is_readable:
        return ExitCode.NOT_DONE
    return ExitCode.DONE if plan.is_valid else ExitCode.FINDINGS


def _print_comparison(call: Invocation, old: PoolPlan, content: dict[str, Any]) -> ExitCode:
    from dlq.cli.output.inspection.comparison import print_comparison
    from dlq.planning.comparison import compare, read_plan
    from dlq.planning.comparison_formats import comparison_json, markdown

    difference = compare(old, read_plan(content, "this plan"))
    if call.format == "json":
        call.print_document(**comparison_json(difference))
    elif call.format == "markdown":
        call.screen.print(markdown(difference).rstrip("\n"))
    else:
        print_comparison(call.screen, difference)
    return ExitCode.DONE if difference.is_empty else ExitCode.DIFFERENT


@verb(
    verbs,
    example="dlq check --format github --fail-on warning",
    formats=("text", "concise", "json", "github", "sarif"),
)
def check(
    ctx: typer.Context,
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CRON.PY]...", help="Check these files instead of the project."),
    ] = None,
    of: OfOption = None,
    no_django: Annotated[
        bool, typer.Option("--no-django", help="Only read the files; run no code of the project.")
    ] = False,
    jobs: Annotated[
        bool,
        typer.Option("--jobs", help="Check the stored jobs instead: would this code run them?"),
    ] = False,
    fail_on: Annotated[
        str, typer.Option("--fail-on", metavar="error|warning", help="What makes it exit with 1.")
    ] = "error",
) -> ExitCode:
    """Find every mistake in settings and cron.py files.

    Override files, backends and middleware included; contacts no server. With --jobs it reads
    all stored jobs from the servers, before a deploy, and says which would not run with this code.
    """
    call: Invocation = ctx.obj
    from dlq.operations.check import check_cron_files, check_project

    if fail_on not in {"error", "warning"}:
        raise UsageError(f"--fail-on {fail_on!r}: say error or warning")
    if no_django and not files:
        raise UsageError("--no-django checks single files: dlq check --no-django orders/cron.py")
    if jobs:
        if files or of is not None:
            raise UsageError("--jobs checks the stored jobs: leave out files and --of")
        return _check_jobs(call)
    if files:
        report = check_cron_files(files, call.settings, call.config, django=not no_django)
    else:
        report = check_project(call.settings, call.config, of)
    _print_report(call, report)
    return report.exit_code(fail_on)


def _check_jobs(call: Invocation) -> ExitCode:
    from dlq.cli.output.inspection.jobs_report import print_jobs_report
    from dlq.operations.check import Report
    from dlq.operations.inspection.check_jobs import check_jobs, findings, report_json
    from dlq.project.load import load_project

    project = load_project(call.settings, call.config)
    found = check_jobs(project)
    if call.format == "json":
        call.print_document(**report_json(found))
    elif call.format == "text":
        print_jobs_report(call.screen, found)
    else:
        _print_report(call, Report(tuple(findings(found, project)), found.summary))
    return ExitCode.FINDINGS if found.misfits else ExitCode.DONE


def _print_report(call: Invocation, report: Report) -> None:
    from dlq.cli.output.findings import findings_lines
    from dlq.diagnostics import formats as reports
    from dlq.diagnostics.repository import repository_root

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
    # A reader of a machine's format still learns from the log what was looked at.
    screen.note(report.summary)


@verb(verbs, example="dlq explain shop.tasks.confirm 7 vip=true")
def explain(
    ctx: typer.Context,
    noun: Annotated[
        str,
        typer.Argument(
            metavar="NOUN",
            help="A finding (E204), a setting, a task, a queue or the command of a cron row;"
            " queue:NAME says which, where it is several.",
        ),
    ],
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ARG]...", help="Arguments of a call of the task: 7 vip=true."),
    ] = None,
    of: OfOption = None,
) -> ExitCode:
    """Explain a finding, setting, task, queue or cron row.

    A task with arguments shows what a call stores, what the worker gets, and whether that fits
    the function: it exits with 1 where it doesn't. Contacts nothing.
    """
    call: Invocation = ctx.obj
    from dlq.operations.inspection.explain import explain as explain_noun
    from dlq.operations.inspection.explain import explain_finding
    from dlq.planning.plan import make_plan
    from dlq.planning.pool import make_pool
    from dlq.project.load import load_project, require_settings

    finding = explain_finding(noun)
    if finding is not None:
        found = [finding]
    else:
        pool = make_pool(None, of or 1, whole=True)
        project = load_project(call.settings, call.config)
        require_settings(project)
        found = explain_noun(project, make_plan(project, pool), noun, arguments or ())
    if call.format == "json":
        call.print_document(kind=found[0].kind, **_as_one(found))
    else:
        from dlq.cli.output.inspection.explanation import print_explanation

        for number, explanation in enumerate(found):
            if number:
                call.screen.print()
            print_explanation(call.screen, explanation)
    fits = all(each.content.get("call", {}).get("fits", True) for each in found)
    return ExitCode.DONE if fits else ExitCode.FINDINGS


def _as_one(found: Sequence[Explanation]) -> dict[str, Any]:
    """The fields of one explanation; the rows of a cron command are a list."""
    if found[0].kind == "cron":
        return {"rows": [each.content for each in found]}
    return dict(found[0].content)
