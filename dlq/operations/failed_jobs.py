"""Failed jobs, over all queues of a project: find, put back, discard."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC
from fnmatch import fnmatchcase
from heapq import merge
from typing import Any, NamedTuple

from dlq import runtime
from dlq.backends.base import BackendWithFailedJobs, FailedJob
from dlq.diagnostics.formats import iso_utc
from dlq.errors import UsageError
from dlq.job import Job, job_name
from dlq.operations.failed_groups import group_id
from dlq.operations.queues import known_queues, no_such_queue
from dlq.project.load import Project
from dlq.types import QueueName

PAGE = 500
"""Ids in one request: retrying a million jobs must not block the server."""

Progress = Callable[[int], None]


Targets = dict[QueueName, list[str]]
"""Ids of failed jobs by queue, the oldest first, so that they run in the order in which they
failed."""


class Selection(NamedTuple):
    """Which failed jobs are meant. `ids` may be beginnings of ids; `task` a path, a name, a cron
    command, or a pattern with `*`; `error` is the id of a group (`failed_groups`)."""

    queues: tuple[str, ...] = ()
    task: str | None = None
    ids: tuple[str, ...] = ()
    error: str | None = None

    @property
    def is_by_queue(self) -> bool:
        """Whether whole queues are meant, so that their jobs can be counted without reading."""
        return self.task is None and self.error is None and not self.ids


class Done(NamedTuple):
    """`gone`: selected, but no longer there (another command was quicker)."""

    jobs: int
    gone: int


def failed_queues(project: Project, names: Sequence[str] = ()) -> list[QueueName]:
    """The queues to look at: the named ones, or all that may have failed jobs. Raises UsageError
    for a name that no configuration knows, or whose backend keeps no failed jobs."""
    known = known_queues(project)
    stored: set[QueueName] = set()
    for backend in _backends(known):
        stored |= set(backend.queues_with_failed_jobs())
    if not names:
        able = {name for name in known if _backend(name) is not None}
        return sorted(able | stored)
    unknown = [name for name in names if name not in known and name not in stored]
    if unknown:
        raise UsageError("; ".join(no_such_queue(name, known) for name in unknown))
    unable = [name for name in names if _backend(QueueName(name)) is None]
    if unable:
        raise UsageError(f"the backend of {', '.join(unable)} keeps no failed jobs")
    return [QueueName(name) for name in dict.fromkeys(names)]


def select_failed(project: Project, selection: Selection) -> Iterator[FailedJob]:
    """Newest first, over all queues. Raises UsageError for an id that nothing begins with, or more
    than one job does."""
    queues = failed_queues(project, selection.queues)
    if selection.ids:
        yield from _by_id(queues, selection)
        return
    for failed in merge(*map(_jobs, queues), key=lambda failed: -failed.failed_at):
        if selection.task is not None and not matches(failed, selection.task):
            continue
        if selection.error is None or group_id(failed) == selection.error:
            yield failed


def counts(project: Project, queues: Iterable[QueueName]) -> dict[QueueName, int]:
    """How many failed jobs each queue has."""
    return {
        queue: backend.failed_count(queue)
        for queue in queues
        if (backend := _backend(queue)) is not None
    }


def watched(jobs: Iterable[FailedJob], progress: Progress) -> Iterator[FailedJob]:
    """Pass jobs on, and report how many have been read after each page."""
    for number, failed in enumerate(jobs, 1):
        yield failed
        if number % PAGE == 0:
            progress(number)


def dropped(queues: Sequence[QueueName]) -> int:
    """How many failed jobs of these queues are gone because FAILED_KEEP keeps only so many."""
    return sum(
        sum(backend.failures_dropped([q for q in queues if _backend(q) is backend]).values())
        for backend in _backends(queues)
    )


def collect(jobs: Iterable[FailedJob], progress: Progress = lambda done: None) -> Targets:
    """Read all ids first: a list that shrinks while it is read in pages would skip some."""
    targets: Targets = defaultdict(list)
    for failed in watched(jobs, progress):
        targets[failed.queue].append(failed.id)
    for ids in targets.values():
        ids.reverse()
    return dict(targets)


def retry(targets: Targets, progress: Progress = lambda done: None) -> Done:
    """Put failed jobs back on their queues, each in one atomic step. `progress` gets the number of
    jobs that were handled, after each page."""
    return _in_pages(targets, lambda b, queue, ids: b.retry_failed(queue, ids), progress)


def discard(targets: Targets, progress: Progress = lambda done: None) -> Done:
    """Drop failed jobs for good; `progress` as for `retry`."""
    return _in_pages(targets, lambda b, queue, ids: b.discard_failed(queue, ids), progress)


def matches(failed: FailedJob, task: str) -> bool:
    """Whether a failed job is of this task: a path, a name, a cron command, or a pattern."""
    if failed.job is None:
        return False
    names = {failed.job.path, failed.job.path.rpartition(".")[2], job_name(failed.job)}
    return any(task == name or fnmatchcase(name, task) for name in names)


def with_fit(failed: FailedJob, fit: Mapping[str, Any]) -> dict[str, Any]:
    """Describe one failed job as `dlq failed show` does: with its fit to today's code."""
    return {**as_json(failed), "fit": fit}


def as_json(failed: FailedJob) -> dict[str, Any]:
    """Describe a failed job for machines: all of it, its bytes as text with backslash escapes where
    they are none. `name` is the cron command's where the job is one."""
    job = failed.job
    return {
        "id": failed.id,
        "queue": failed.queue,
        "task": None if job is None else job.path,
        "name": None if job is None else job_name(job),
        "args": None if job is None else list(job.args),
        "kwargs": None if job is None else dict(job.kwargs),
        "created": None if job is None else _created(job),
        "failed": iso_utc(failed.failed_at),
        "kind": failed.failure.kind,
        "reason": failed.failure.reason,
        "traceback": failed.failure.traceback,
        "ran": failed.failure.ran,
        "attempts": failed.failure.attempts,
        "worker": failed.failure.worker,
        "raw": failed.raw.decode("utf-8", "backslashreplace"),
    }


def _by_id(queues: Sequence[QueueName], selection: Selection) -> Iterator[FailedJob]:
    found: dict[str, list[FailedJob]] = defaultdict(list)
    for queue in queues:
        for failed in _jobs(queue):
            for wanted in selection.ids:
                # Nothing at all begins each id; it is what an unset shell variable gives.
                if wanted and failed.id.startswith(wanted):
                    found[wanted].append(failed)
    unclear = []
    for wanted in selection.ids:
        exact = [failed for failed in found[wanted] if failed.id == wanted]
        if exact:
            found[wanted] = exact
        if not found[wanted]:
            unclear.append(f"no failed job has the id {wanted!r}: dlq failed list shows them")
        elif len(found[wanted]) > 1:
            listed = ", ".join(f"{failed.id} in {failed.queue}" for failed in found[wanted][:5])
            unclear.append(f"id {wanted!r} is not unique: {listed}; say more of it, or --queue")
    if unclear:
        raise UsageError("; ".join(unclear))
    yield from {failed.id: failed for jobs in found.values() for failed in jobs}.values()


def _in_pages(
    targets: Targets,
    act: Callable[[BackendWithFailedJobs, QueueName, Sequence[str]], int],
    progress: Progress,
) -> Done:
    done = handled = 0
    for queue, ids in targets.items():
        backend = _backend(queue)
        if backend is None:
            continue
        for start in range(0, len(ids), PAGE):
            page = ids[start : start + PAGE]
            done += act(backend, queue, page)
            handled += len(page)
            progress(done)
    return Done(done, handled - done)


def _created(job: Job) -> str | None:
    """The time of the enqueueing, which is stored as UTC without a zone."""
    return None if job.created_time is None else iso_utc(job.created_time.replace(tzinfo=UTC))


def _jobs(queue: QueueName) -> Iterator[FailedJob]:
    backend = _backend(queue)
    return iter(()) if backend is None else backend.failed_jobs(queue)


def _backend(queue: QueueName) -> BackendWithFailedJobs | None:
    backend = runtime.current().backend(queue)
    return backend if isinstance(backend, BackendWithFailedJobs) else None


def _backends(queues: Iterable[QueueName]) -> set[BackendWithFailedJobs]:
    return {backend for queue in queues if (backend := _backend(queue)) is not None}
