"""`dlq check --jobs`: would the code of this process run what is already stored?

Every waiting, delayed, running and failed job is read, in pages that no server notices, and checked
for fit with today's functions. Nothing is changed, and no job stays in memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from dlq import runtime
from dlq.backends.base import BackendWithRunners, BackendWithStoredJobs
from dlq.backends.state import StoredState
from dlq.diagnostics.finding import Finding
from dlq.diagnostics.rules import backends as rules
from dlq.execution.job_fit import Fit, JobFit
from dlq.job import Job, decode
from dlq.operations.inspection.waiting_jobs import job_fit
from dlq.operations.queues import known_queues
from dlq.primitives.text import counted, printable, short_repr
from dlq.project.load import Project
from dlq.types import QueueName, Source

EXAMPLES = 3
"""Jobs of each group that are shown."""

MOST_GROUPS = 500
"""Groups that are kept apart: any user of the server can write jobs with many paths."""

REPORT_EVERY = 5000
"""Jobs between two reports of progress."""


class Example(NamedTuple):
    """One stored job, as far as a person needs it: its arguments are cut."""

    queue: QueueName
    state: StoredState
    created: str
    arguments: str


class JobGroup(NamedTuple):
    """Jobs of one task that don't fit for one reason. `places` counts them by queue and state."""

    task: str
    fit: Fit
    places: Counter[tuple[QueueName, StoredState]]
    examples: list[Example]

    @property
    def jobs(self) -> int:
        return self.places.total()


class JobsReport(NamedTuple):
    """`checked` counts jobs by state; `others` are jobs that don't fit beyond the groups that are
    kept; `unread` are queues whose backend cannot show its jobs."""

    checked: Counter[StoredState]
    groups: tuple[JobGroup, ...]
    others: int
    unread: tuple[QueueName, ...]

    @property
    def misfits(self) -> int:
        return sum(group.jobs for group in self.groups) + self.others

    @property
    def summary(self) -> str:
        states = ", ".join(f"{count:,} {state}" for state, count in self.checked.items() if count)
        text = f"Checked {counted(self.checked.total(), 'job')}{f' ({states})' if states else ''}"
        if self.misfits:
            text += f": {self.misfits:,} would not run with this code"
        elif self.checked.total():
            text += ": all fit this code"
        if self.unread:
            text += f". Not read, since their backend cannot show jobs: {', '.join(self.unread)}"
        return f"{text}."


def check_jobs(project: Project, progress: Callable[[int], None] = lambda done: None) -> JobsReport:
    """Check all stored jobs of the project's servers. Raises BackendUnavailable."""
    checks = job_fit(project)
    queues, unread = _readable_queues(project)
    return group_jobs(_stored_jobs(queues), checks, progress)._replace(unread=tuple(unread))


def group_jobs(
    jobs: Iterable[tuple[QueueName, StoredState, bytes]],
    checks: JobFit,
    progress: Callable[[int], None] = lambda done: None,
) -> JobsReport:
    """Check jobs one by one. Needs memory for the groups only."""
    checked: Counter[StoredState] = Counter()
    groups: dict[tuple[str, Fit], JobGroup] = {}
    others = 0
    for number, (queue, state, raw) in enumerate(jobs, start=1):
        checked[state] += 1
        if number % REPORT_EVERY == 0:
            progress(number)
        path, fit = checks.check_raw(raw)
        if fit.is_good:
            continue
        group = groups.get((path, fit))
        if group is None:
            if len(groups) >= MOST_GROUPS:
                others += 1
                continue
            group = groups[path, fit] = JobGroup(path, fit, Counter(), [])
        group.places[queue, state] += 1
        if len(group.examples) < EXAMPLES:
            group.examples.append(_example(queue, state, raw, path))
    ordered = sorted(groups.values(), key=lambda group: (-group.jobs, group.task))
    return JobsReport(checked, tuple(ordered), others, ())


def findings(report: JobsReport, project: Project) -> Iterator[Finding]:
    """Yield one finding for each group, at the task's declaration where it has one."""
    sources: dict[str | None, Source] = {d.task: d.source for d in project.declarations}
    for group in report.groups:
        name = printable(group.task) or "jobs that cannot be read"
        yield rules.E520.finding(
            f"{counted(group.jobs, 'job')} of {name} would not run: {group.fit.text}"
            f" ({locations_text(group)})",
            sources.get(group.task),
            group.fit.help,
        )
    if report.others:
        yield rules.E520.finding(f"{counted(report.others, 'job')} more would not run")


def locations_text(group: JobGroup) -> str:
    """Return where the jobs are: `emails: 120 waiting, 8 failed`."""
    by_queue: dict[QueueName, list[str]] = {}
    for (queue, state), count in group.places.items():
        by_queue.setdefault(queue, []).append(f"{count:,} {state}")
    return "; ".join(
        f"{printable(queue)}: {', '.join(counts)}" for queue, counts in sorted(by_queue.items())
    )


def report_json(report: JobsReport) -> dict[str, Any]:
    """The report as machines read it."""
    return {
        "checked": dict(report.checked),
        "misfits": report.misfits,
        "groups": [
            {
                "task": group.task or None,
                "kind": group.fit.kind,
                "text": group.fit.text,
                "help": group.fit.help,
                "jobs": group.jobs,
                "queues": [
                    {"queue": queue, "state": state, "jobs": count}
                    for (queue, state), count in sorted(group.places.items())
                ],
                "examples": [example._asdict() for example in group.examples],
            }
            for group in report.groups
        ],
        "others": report.others,
        "unread": list(report.unread),
    }


def _example(queue: QueueName, state: StoredState, raw: bytes, path: str) -> Example:
    if not path:
        return Example(queue, state, "", printable(raw.decode("utf-8", "backslashreplace"), 100))
    job = decode(raw)
    return Example(queue, state, job.created_time_str, arguments_text(job))


def arguments_text(job: Job, limit: int = 100) -> str:
    """Return the arguments as in a call, cut."""
    parts = [short_repr(value) for value in job.args]
    parts += [f"{printable(name, 40)}={short_repr(value)}" for name, value in job.kwargs.items()]
    return printable(", ".join(parts), limit)


def _readable_queues(project: Project) -> tuple[list[QueueName], list[QueueName]]:
    """Return the queues whose jobs can be read, those included that only a server knows, and the
    others."""
    current = runtime.current()
    names = dict.fromkeys(known_queues(project))
    for backend in {current.backend(name) for name in names}:
        if isinstance(backend, BackendWithRunners):
            names.update(dict.fromkeys(current.stored_queues(backend)))
    able = [name for name in names if isinstance(current.backend(name), BackendWithStoredJobs)]
    return able, [name for name in names if name not in able]


def _stored_jobs(
    queues: Iterable[QueueName],
) -> Iterator[tuple[QueueName, StoredState, bytes]]:
    for queue in queues:
        backend = runtime.current().backend(queue)
        assert isinstance(backend, BackendWithStoredJobs)
        for state, raw in backend.stored_jobs(queue):
            yield queue, state, raw
