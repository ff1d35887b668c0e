"""What was measured, as a value: to JSON and back, and the ratios of the targets.

A ratio divides two values of the same round: on a shared machine the same code differs by a quarter
between two runs, and a ratio over runs would be mostly noise.
"""

from __future__ import annotations

import statistics
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Key = tuple[str, str]
"""A metric and the name of a system."""


@dataclass(frozen=True, slots=True)
class Sample:
    round: int
    system: str
    metric: str
    value: float


@dataclass(frozen=True, slots=True)
class Spread:
    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: list[float]) -> Spread:
        return cls(statistics.median(values), min(values), max(values))


@dataclass(slots=True)
class Result:
    """Grows while it is measured, so that an interrupted run is not lost."""

    date: str
    machine: Mapping[str, Any]
    options: Mapping[str, Any]
    versions: dict[str, dict[str, str]] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)
    again: list[str] = field(default_factory=list)
    """The commands by which parts of it were measured anew."""

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Result:
        samples = [Sample(**sample) for sample in content.pop("samples")]
        return cls(**content, samples=samples)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def forget(self, system: str, metrics: Collection[str]) -> None:
        self.samples = [s for s in self.samples if s.system != system or s.metric not in metrics]

    def rounds(self, metric: str, system: str) -> dict[int, float]:
        return {
            sample.round: sample.value
            for sample in self.samples
            if (sample.metric, sample.system) == (metric, system)
        }

    def spread(self, metric: str, system: str) -> Spread | None:
        values = list(self.rounds(metric, system).values())
        return Spread.of(values) if values else None

    def ratio(self, value: Key, against: Key) -> Spread | None:
        values, divisors = self.rounds(*value), self.rounds(*against)
        ratios = [values[n] / divisors[n] for n in values if divisors.get(n)]
        return Spread.of(ratios) if ratios else None


@dataclass(frozen=True, slots=True)
class Target:
    """One line of what must be true. Without `against` it is about the value itself. `until_full`:
    the share of the processors that was busy, in percent; from FULL on, nothing more is asked."""

    what: str
    value: Key
    sense: Literal["at least", "at most"]
    limit: float
    against: Key | None = None
    aim: float | None = None
    until_full: Key | None = None

    def is_full(self, result: Result) -> bool:
        busy = None if self.until_full is None else result.spread(*self.until_full)
        return busy is not None and busy.median >= FULL

    def outcome(self, result: Result) -> Spread | None:
        if self.against is None:
            return result.spread(*self.value)
        return result.ratio(self.value, self.against)

    def is_met(self, outcome: Spread, limit: float) -> bool:
        return outcome.median >= limit if self.sense == "at least" else outcome.median <= limit


ONE_WORKER: Key = ("drain/1", "dlq")
ENQUEUE: Key = ("enqueue", "dlq")
DEDUPLICATE: Key = ("deduplicate", "dlq")
PLANNER: Key = ("planner", "dlq")

FULL = 85
"""Percent of the processors. The rest is what processes lose by waiting for each other."""

LINEAR = 13
"""Ten times the work, and an allowance for what no longer fits the processor's caches."""


def _as_huey(what: str, metric: str, aim: float | None = None, limit: float = 1) -> Target:
    return Target(f"{what}, to Huey", (metric, "dlq"), "at most", limit, (metric, "huey"), aim)


TARGETS: tuple[Target, ...] = (
    Target("drain, 1 worker, to 4.11", ONE_WORKER, "at least", 15, ("drain/1", "dlq-4.11")),
    Target("drain, 1 worker, to Huey", ONE_WORKER, "at least", 3, ("drain/1", "huey"), 6),
    Target("drain, 1 worker, to bare loop", ONE_WORKER, "at least", 1, ("drain/1", "bare-loop"), 2),
    Target(
        "drain, 2 workers to 1",
        ("drain/2", "dlq"),
        "at least",
        1.6,
        ONE_WORKER,
        until_full=("drain busy/2", "dlq"),
    ),
    Target("enqueue one, to 4.11", ENQUEUE, "at least", 1.2, ("enqueue", "dlq-4.11")),
    Target("enqueue one, to bare LPUSH", ENQUEUE, "at least", 0.8, ("enqueue", "bare-push"), 0.95),
    Target("bulk_enqueue, to 4.11", ("bulk", "dlq"), "at least", 2, ("bulk", "dlq-4.11"), 4),
    _as_huey("start of a job, p50", "start p50", 0.6),
    _as_huey("start of a job, p99", "start p99", 0.6),
    _as_huey("PSS added per idle worker", "pss per worker"),
    Target("PSS added per idle worker, MiB", ("pss per worker", "dlq"), "at most", 5),
    _as_huey("16 workers ready, wall time", "ready wall/16", limit=1.3),
    _as_huey("16 workers ready, CPU time", "ready cpu/16", limit=1.5),
    Target("deduplicate, speed to 4.11", ("deduplicate", "dlq-4.11"), "at least", 10, DEDUPLICATE),
    Target("deduplicate, slowest command, ms", ("deduplicate slowest", "dlq"), "at most", 10),
    Target("dlq plan, to manage.py check", ("plan", "dlq"), "at most", 1.5, ("check", "dlq")),
    Target(
        "5,000 cron rows, to Django's start",
        ("cron rows", "dlq"),
        "at most",
        5,
        ("start Django", "dlq"),
    ),
    Target("planner, to import django", PLANNER, "at most", 1, ("import django", "dlq")),
    Target("planner, 10 x the workers", ("planner x10", "dlq"), "at most", LINEAR, PLANNER),
    Target("idle worker, commands/s", ("idle commands per worker", "dlq"), "at most", 0.2),
    Target("idle worker, % of a core", ("idle cpu per worker", "dlq"), "at most", 0.1),
)
"""In the order in which the project states what must be true."""

IN_TARGETS = {key[1] for t in TARGETS for key in (t.value, t.against) if key is not None}
"""The systems that a target speaks of."""
