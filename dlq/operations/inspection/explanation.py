"""An explanation as a value, and the facts that several kinds of nouns share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from dlq.planning.plan import Plan
from dlq.planning.review import ranges
from dlq.primitives.import_path import import_path

GUARANTEES: Mapping[str, str] = {
    "dlq.backends.reliable_redis.ReliableRedisBackend": (
        "at least once: a job whose worker dies runs again, up to MAX_CRASHES times"
    ),
    "dlq.backends.redis.RedisBackend": (
        "at most once: a job is gone from the server when a worker takes it"
    ),
    "dlq.backends.synchronous.SynchronousBackend": (
        "at most once, and at once: the job runs where it is enqueued, in the same process"
    ),
    "dlq.backends.debug_web.DebugWebBackend": "never by itself: a person runs the job in a browser",
}
"""What a backend, or a class below it, promises about the runs of a job."""


class Fact(NamedTuple):
    label: str
    text: str


class Explanation(NamedTuple):
    """`facts` are what people read, `content` is what machines read; `text` is prose."""

    kind: str
    title: str
    facts: tuple[Fact, ...]
    content: Mapping[str, Any]
    text: str = ""


def guarantee(path: str) -> str:
    """Return in one sentence what a backend guarantees."""
    try:
        ancestors = import_path(path).__mro__
    except (ImportError, AttributeError, ValueError):
        return "unknown: the class cannot be imported"
    for ancestor in ancestors:
        known = GUARANTEES.get(f"{ancestor.__module__}.{ancestor.__qualname__}")
        if known is not None:
            return known
    return "what its class promises: it is not one of dlq's"


def backend_facts(path: str) -> Iterator[Fact]:
    yield Fact("backend", path)
    yield Fact("runs", guarantee(path))


def worker_facts(plan: Plan, queue: str) -> Iterator[Fact]:
    """Yield who runs the jobs of a queue in this plan."""
    numbers: dict[int, list[int]] = defaultdict(list)
    for worker in plan.split.workers if plan.split is not None else ():
        if worker.queue == queue:
            numbers[worker.machine].append(worker.number)
    if not numbers:
        yield Fact("run by", "no worker: nothing runs its jobs in this plan")
        return
    parts = [
        f"{queue}/{ranges(of_machine)} on machine {machine} of {plan.pool.of}"
        for machine, of_machine in sorted(numbers.items())
    ]
    yield Fact("run by", "; ".join(parts))
