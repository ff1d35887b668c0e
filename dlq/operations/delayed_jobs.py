"""Delayed jobs, over all queues of a project: find, run now, discard."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC
from fnmatch import fnmatchcase
from heapq import merge
from typing import Any, NamedTuple

from dlq import runtime
from dlq.backends.delayed import BackendWithDelayedJobs, DelayedJob
from dlq.diagnostics.formats import iso_utc
from dlq.errors import UsageError
from dlq.job import job_name
from dlq.operations.queues import known_queues, no_such_queue
from dlq.project.load import Project
from dlq.types import QueueName


class DelayedSelection(NamedTuple):
    """Which delayed jobs are meant. `ids` may be beginnings of ids; `task` is a path, a name, or a
    pattern with `*`."""

    queues: tuple[str, ...] = ()
    task: str | None = None
    ids: tuple[str, ...] = ()


def select_delayed(project: Project, selection: DelayedSelection) -> Iterator[DelayedJob]:
    """Yield the jobs that are due first first, over all queues. Raises UsageError for a queue that
    is not known, and for an id that no job begins with, or more than one."""
    queues = delayed_queues(project, selection.queues)
    found = merge(*map(_jobs, queues), key=lambda delayed: delayed.due)
    if selection.ids:
        yield from _by_id(list(found), selection.ids)
        return
    for delayed in found:
        if selection.task is None or _matches(delayed, selection.task):
            yield delayed


def delayed_queues(project: Project, names: Sequence[str] = ()) -> list[QueueName]:
    """Return the queues to look at: the named ones, or all that may have delayed jobs."""
    known = known_queues(project)
    backends = {b for name in known if (b := _backend(name)) is not None}
    stored = {queue for backend in backends for queue in backend.queues_with_delayed_jobs()}
    if not names:
        return sorted({name for name in known if _backend(name) is not None} | stored)
    unknown = [name for name in names if name not in known and name not in stored]
    if unknown:
        raise UsageError("; ".join(no_such_queue(name, known) for name in unknown))
    unable = [name for name in names if _backend(QueueName(name)) is None]
    if unable:
        raise UsageError(f"the backend of {', '.join(unable)} keeps no delayed jobs")
    return [QueueName(name) for name in dict.fromkeys(names)]


def counts(queues: Sequence[QueueName]) -> dict[QueueName, int]:
    return {q: backend.delayed_count(q) for q in queues if (backend := _backend(q)) is not None}


def run_now(jobs: Sequence[DelayedJob]) -> int:
    """Let them be due now. Return how many were still there."""
    return _per_queue(jobs, lambda backend, queue, some: backend.run_delayed(queue, some))


def discard(jobs: Sequence[DelayedJob]) -> int:
    """Drop them for good. Return how many were still there."""
    return _per_queue(jobs, lambda backend, queue, some: backend.discard_delayed(queue, some))


def clear(queues: Sequence[QueueName]) -> dict[QueueName, int]:
    """Drop all delayed jobs of these queues, in one step each."""
    return {q: backend.clear_delayed(q) for q in queues if (backend := _backend(q)) is not None}


def as_json(delayed: DelayedJob) -> dict[str, Any]:
    """Describe a delayed job for machines."""
    job = delayed.job
    created = None if job is None else job.created_time
    return {
        "id": delayed.id,
        "queue": delayed.queue,
        "task": None if job is None else job.path,
        "name": None if job is None else job_name(job),
        "args": None if job is None else job.args,
        "kwargs": None if job is None else job.kwargs,
        "due": iso_utc(delayed.due),
        "created": None if created is None else iso_utc(created.replace(tzinfo=UTC)),
    }


def _per_queue(
    jobs: Sequence[DelayedJob],
    act: Callable[[BackendWithDelayedJobs, QueueName, list[DelayedJob]], int],
) -> int:
    done = 0
    for queue in dict.fromkeys(job.queue for job in jobs):
        backend = _backend(queue)
        if backend is not None:
            done += act(backend, queue, [job for job in jobs if job.queue == queue])
    return done


def _by_id(jobs: Sequence[DelayedJob], ids: Sequence[str]) -> list[DelayedJob]:
    found, problems = [], []
    for id in dict.fromkeys(ids):
        same = [job for job in jobs if job.id.startswith(id)]
        if len(same) == 1:
            found += same
        elif same:
            problems.append(f"{len(same)} delayed jobs have ids that begin with {id!r}")
        else:
            problems.append(
                f"no delayed job has an id that begins with {id!r}: see dlq delayed list"
            )
    if problems:
        raise UsageError("; ".join(problems))
    return found


def _matches(delayed: DelayedJob, task: str) -> bool:
    if delayed.job is None:
        return False
    path = delayed.job.path
    names = {path, path.rpartition(".")[2], job_name(delayed.job)}
    return any(task == name or fnmatchcase(name, task) for name in names)


def _jobs(queue: QueueName) -> Iterator[DelayedJob]:
    backend = _backend(queue)
    return iter(()) if backend is None else backend.delayed_jobs(queue)


def _backend(queue: QueueName) -> BackendWithDelayedJobs | None:
    backend = runtime.current().backend(queue)
    return backend if isinstance(backend, BackendWithDelayedJobs) else None
