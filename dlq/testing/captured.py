"""Jobs that a test enqueues: captured in memory as the bytes that a server would store, compared,
and run as a worker would."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from functools import partial
from typing import Any, NamedTuple

from django.db import connections

from dlq import runtime
from dlq.errors import DlqError
from dlq.execution.run_job import Result
from dlq.job import Job, decode
from dlq.jobs.failure import Failure
from dlq.jobs.placement import Placement
from dlq.jobs.task import RESULT_KEYWORD
from dlq.process.worker.job_notes import JobNotes
from dlq.testing.expectations import bound, describe, nearest, path_of
from dlq.testing.memory_backend import MemoryBackend, StoredJob
from dlq.types import QueueName, WorkerNumber

MOST_RUN = 100_000
"""Jobs that one `run` executes at most: a task that enqueues itself would never come to an end."""


class CapturedJob(NamedTuple):
    """A job that was enqueued. `delay` is in seconds, None where it was not put off."""

    path: str
    args: list[Any]
    kwargs: dict[str, Any]
    queue: QueueName
    delay: float | None
    job: Job


class JobFailed(DlqError):
    """A job failed without an exception of its own, for instance because its task is unknown."""


class CapturedJobs:
    """What `captured_jobs` gives. A sequence of all jobs that were enqueued, oldest first."""

    def __init__(self, backend: MemoryBackend) -> None:
        self._backend = backend
        self._commits = CommitCallbacks()

    def __iter__(self) -> Iterator[CapturedJob]:
        self.commit()
        return iter([_captured(each) for each in self._backend.stored])

    def __len__(self) -> int:
        self.commit()
        return len(self._backend.stored)

    def __getitem__(self, index: int) -> CapturedJob:
        return list(self)[index]

    def assert_enqueued(
        self,
        task: Any,
        *args: Any,
        queue: str | None = None,
        delay: float | None = None,
        times: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Assert that a task was called with these arguments, however they were passed; with any
        arguments where none are given. `delay` is compared within a second. `times`: how often;
        once or more without it."""
        found = self._matching(task, args, kwargs, queue, delay)
        if len(found) == times or (times is None and found):
            return
        wanted = describe(path_of(task), args, kwargs, queue, delay)
        count = "" if times is None else f" {times} times, but {len(found)} times"
        raise AssertionError(f"{wanted} was not enqueued{count}. {self._enqueued(task, args)}")

    def refute_enqueued(
        self,
        task: Any,
        *args: Any,
        queue: str | None = None,
        delay: float | None = None,
        **kwargs: Any,
    ) -> None:
        """Assert that there is no such call."""
        found = self._matching(task, args, kwargs, queue, delay)
        if found:
            wanted = describe(path_of(task), args, kwargs, queue, delay)
            raise AssertionError(f"{wanted} was enqueued. {self._enqueued(task, args)}")

    def run(self, *, retries: bool = False) -> int:
        """Run what waits, and what that enqueues, oldest first: with middleware and transactions,
        delayed jobs too. With `retries`, a task that raises is run again as often as it says.
        Return how many runs there were. Raises the first failure."""
        count = 0
        self.commit()
        while (stored := self._backend.next_job()) is not None:
            if count >= MOST_RUN:
                raise AssertionError(f"{count} jobs have run and there are more: is there an end?")
            count += self._run(stored, retries)
            self.commit()
        return count

    def clear(self) -> None:
        """Forget what was enqueued so far."""
        self.commit()
        self._backend.stored.clear()
        self._backend.waiting.clear()

    def commit(self) -> None:
        """Run what waits for the commit of a transaction, where only the test's own is open."""
        self._commits.run()

    def _run(self, stored: StoredJob, retries: bool) -> int:
        job = decode(stored.raw)
        notes = JobNotes(self._backend, stored.queue, "test", logging.getLogger("dlq.worker"))
        for attempt in range(1001):
            before_call = partial(notes.started, stored.raw, job)
            current = runtime.current()
            result = current.run(job, stored.queue, WorkerNumber(0), before_call)
            if result.failure is None:
                notes.succeeded(job, result)
                return attempt + 1
            task = result.task if result.failure.kind == "raised" else None
            if not retries or task is None or attempt >= task.retries:
                notes.failed(job, result.failure, result)
                raise _error(result, result.failure)
            notes.retried(job, result.failure, result)
        raise AssertionError("unreachable: a task has at most 1000 retries")

    def _matching(
        self,
        task: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        queue: str | None,
        delay: float | None,
    ) -> list[CapturedJob]:
        is_any = not args and not kwargs
        wanted = None if is_any else bound(task, args, kwargs)
        return [
            each
            for each in self
            if each.path == path_of(task)
            and (is_any or bound(task, each.args, each.kwargs) == wanted)
            and queue in (None, each.queue)
            and (delay is None or abs((each.delay or 0) - delay) < 1)
        ]

    def _enqueued(self, task: Any, args: tuple[Any, ...]) -> str:
        jobs = nearest(
            describe(path_of(task), args, {}),
            [describe(each.path, each.args, each.kwargs, each.queue, each.delay) for each in self],
        )
        if not jobs:
            return "Nothing was enqueued"
        return "\n  ".join(["Enqueued, the nearest first:", *jobs])


@contextmanager
def captured_jobs() -> Iterator[CapturedJobs]:
    """Capture the jobs that the block enqueues, on whatever queue, instead of storing them.

    Within Django's TestCase, whose transaction never commits, what waits for a commit runs at the
    end of the block, and whenever the captured jobs are looked at.
    """
    backend = MemoryBackend()
    jobs = CapturedJobs(backend)
    with runtime.captured_by(backend):
        yield jobs
        jobs.commit()


class CommitCallbacks:
    """The callbacks of `transaction.on_commit` since the block began that would have run if the
    test's own transaction were none."""

    def __init__(self) -> None:
        self._done = {
            each.alias: len(each.run_on_commit) for each in connections.all(initialized_only=True)
        }

    def run(self) -> None:
        for connection in connections.all(initialized_only=True):
            if not _is_only_in_a_test(connection):
                continue
            done = min(self._done.get(connection.alias, 0), len(connection.run_on_commit))
            while done < len(connection.run_on_commit):
                entry: tuple[Any, ...] = connection.run_on_commit[done]
                _, callback, is_robust = entry
                done += 1
                self._done[connection.alias] = done
                try:
                    callback()
                except Exception:
                    if not is_robust:
                        raise


def _is_only_in_a_test(connection: Any) -> bool:
    blocks = getattr(connection, "atomic_blocks", ())
    return bool(blocks) and all(getattr(block, "_from_testcase", False) for block in blocks)


def _captured(stored: StoredJob) -> CapturedJob:
    job = decode(stored.raw)
    kwargs = {name: value for name, value in job.kwargs.items() if name != RESULT_KEYWORD}
    delay = _delay(stored.placement, job)
    return CapturedJob(job.path, list(job.args), kwargs, stored.queue, delay, job)


def _delay(placement: Placement, job: Job) -> float | None:
    if placement.at is None or job.created_time is None:
        return placement.delay
    return placement.at - job.created_time.replace(tzinfo=UTC).timestamp()


def _error(result: Result, failure: Failure) -> BaseException:
    return result.exception or JobFailed(failure.reason)
