"""What the runners say about each queue: workers, running jobs, rates. Pure.

One pass over all heartbeats gives it for all queues: a thousand queues with two workers each must
not be compared with each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import zip_longest
from typing import Any, NamedTuple

from dlq.backends.state import QueueActivity, RunnerState, RunningJob
from dlq.diagnostics.formats import iso_utc
from dlq.types import Runner


class RunningOn(NamedTuple):
    """A job that runs, and the runner whose worker runs it."""

    runner: Runner
    job: RunningJob


class QueueOnRunners(NamedTuple):
    """What all runners together say of one queue. `numbers` are those of its living workers;
    `running` has the jobs that have run longest first."""

    numbers: frozenset[int] = frozenset()
    activity: QueueActivity = QueueActivity()
    running: tuple[RunningOn, ...] = ()


NOWHERE = QueueOnRunners()
"""A queue that no runner has a worker for."""


def by_queue(runners: Iterable[RunnerState]) -> Mapping[str, QueueOnRunners]:
    """Sum up what the heartbeats say, by queue."""
    numbers: dict[str, set[int]] = defaultdict(set)
    running: dict[str, list[RunningOn]] = defaultdict(list)
    activities: dict[str, list[QueueActivity]] = defaultdict(list)
    for seen in runners:
        for worker in seen.workers:
            queue, _, number = worker.rpartition("/")
            if number.isdigit():
                numbers[queue].add(int(number))
        for job in seen.running:
            running[job.worker.rpartition("/")[0]].append(RunningOn(seen.runner, job))
        for queue, activity in seen.activity.items():
            activities[queue].append(activity)
    return {
        queue: QueueOnRunners(
            frozenset(numbers.get(queue, ())),
            total(activities.get(queue, ())),
            tuple(sorted(running.get(queue, ()), key=lambda each: each.job.since)),
        )
        for queue in {*numbers, *running, *activities}
    }


def total(activities: Iterable[QueueActivity]) -> QueueActivity:
    """Add up what several runners have done. Their hours end now, and may begin at other times."""
    found = list(activities)
    if len(found) == 1:
        return found[0]
    hours = zip_longest(*(reversed(each.hour) for each in found), fillvalue=0)
    return QueueActivity(
        sum(each.finished_1 for each in found),
        sum(each.failed_1 for each in found),
        sum(each.finished_5 for each in found),
        sum(each.failed_5 for each in found),
        tuple(reversed([sum(bars) for bars in hours])),
    )


def per_minute(activity: QueueActivity) -> float:
    """Return how many jobs end in a minute: in the last one, or else in the mean of five."""
    last = activity.finished_1 + activity.failed_1
    return last or (activity.finished_5 + activity.failed_5) / 5


def empty_in(waiting: int, activity: QueueActivity) -> float | None:
    """Return the seconds until nothing waits, if jobs go on ending at this rate and none comes.
    None where nothing waits, or nothing ends."""
    rate = per_minute(activity)
    return waiting / rate * 60 if waiting and rate else None


def activity_document(waiting: int, activity: QueueActivity) -> dict[str, Any]:
    """Describe the rates of a queue for machines. `empty_in` is in seconds, or null."""
    seconds = empty_in(waiting, activity)
    return {
        **activity._asdict(),
        "hour": list(activity.hour),
        "empty_in": None if seconds is None else round(seconds, 1),
    }


def running_document(each: RunningOn) -> dict[str, Any]:
    """Describe a running job for machines. `timeout` is in seconds, or null."""
    runner, job = each
    return {
        "task": job.task,
        "worker": job.worker,
        "host": runner.host,
        "machine": runner.machine,
        "pid": job.pid,
        "since": iso_utc(job.since),
        "timeout": job.timeout,
    }
