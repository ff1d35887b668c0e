"""All that is wrong with a project's settings, override files and cron rows, and what was looked
at. Contacts no server and no database.

"Valid" says nothing by itself: a check that looked at nothing finds nothing. So each answer says
what it looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from dlq.diagnostics.finding import Finding, errors, in_reading_order
from dlq.errors import ExitCode
from dlq.planning.implied_queues import is_ours
from dlq.planning.plan import make_plan
from dlq.planning.pool import make_pool
from dlq.primitives.text import counted
from dlq.project.load import Project, load_project, load_running_project

if TYPE_CHECKING:
    from django.core.checks import CheckMessage


class Report(NamedTuple):
    """`checked` says what was looked at: `25 settings, 2 cron rows in 1 file`. `complete` is False
    where the project could not even be loaded."""

    findings: tuple[Finding, ...]
    checked: str
    complete: bool = True

    @property
    def summary(self) -> str:
        return f"Checked {self.checked}: {_counts(self.findings)}."

    def exit_code(self, fail_on: str = "error") -> ExitCode:
        if not self.complete:
            return ExitCode.NOT_DONE
        bad = {"error", "warning"} if fail_on == "warning" else {"error"}
        if any(finding.level in bad for finding in self.findings):
            return ExitCode.FINDINGS
        return ExitCode.DONE


def check_project(
    settings: str | None, override_files: Sequence[str] = (), of: int | None = None
) -> Report:
    """Check a whole project, and with `of` the split over a pool of so many machines."""
    pool = make_pool(None, of, whole=True)
    project = load_project(settings, override_files)
    if project.resolution is None or of is None:
        return _report(project, _without_pool(project))
    return _report(project, make_plan(project, pool).findings)


def check_cron_files(
    files: Sequence[str],
    settings: str | None,
    override_files: Sequence[str] = (),
    *,
    django: bool,
) -> Report:
    """Check single cron.py files; without `django` they are only read. Raises UsageError."""
    from dlq.cron.files.read_module import check_files

    complete = True
    findings: list[Finding] = []
    if django:
        project = load_project(settings, override_files, cron=False)
        complete = project.is_readable
        findings += errors(project.findings) if not complete else []
    cron = check_files(files, django=django) if complete else None
    if cron is None:
        return Report(tuple(in_reading_order(findings)), "nothing", complete=False)
    findings += cron.findings
    checked = _rows(cron.row_count, len(cron.files))
    return Report(tuple(in_reading_order(findings)), checked)


def django_checks() -> list[CheckMessage]:
    """The findings as Django's system checks, ids as `dlq.E101`, for the running project."""
    from django.core import checks

    levels = {"error": checks.ERROR, "warning": checks.WARNING, "info": checks.INFO}
    project = load_running_project()
    report = _report(project, _without_pool(project))
    return [
        checks.CheckMessage(
            levels[finding.level],
            finding.message,
            hint=finding.help,
            # Django prints it before the message, which is where people look for the place.
            obj=None if finding.source is None else finding.source.location,
            id=finding.id,
        )
        for finding in report.findings
    ]


def _without_pool(project: Project) -> tuple[Finding, ...]:
    """The findings that hold for every pool: how many machines there are is not known here."""
    if project.resolution is None:
        return project.findings
    plan = make_plan(project, make_pool(None, 1, whole=True))
    return plan.findings


def _report(project: Project, findings: Iterable[Finding]) -> Report:
    tasks = [d.task for d in project.declarations if d.task is not None and not is_ours(d)]
    apps = {task.rpartition(".")[0].rpartition(".")[0] or task for task in tasks}
    settings = 0 if project.resolution is None else len(project.resolution.values)
    parts = [
        counted(settings, "setting"),
        _rows(project.cron.row_count, len(project.cron.files)),
        counted(len(set(tasks)), "task") + (f" in {counted(len(apps), 'app')}" if tasks else ""),
    ]
    return Report(tuple(in_reading_order(findings)), ", ".join(parts), project.is_readable)


def _rows(rows: int, files: int) -> str:
    return f"{counted(rows, 'cron row')} in {counted(files, 'file')}"


def _counts(findings: Sequence[Finding]) -> str:
    parts = [
        counted(sum(1 for finding in findings if finding.level == level), noun)
        for level, noun in (("error", "error"), ("warning", "warning"), ("info", "note"))
    ]
    return ", ".join(text for text in parts if not text.startswith("0 ")) or "no mistakes found"
