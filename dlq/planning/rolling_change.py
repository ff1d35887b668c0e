"""What can go wrong while the machines of a pool change from one plan to another, one by one.

The model: each machine runs either its old plan or its new one; machines that only one plan has
start or stop. They change one by one, in an order that is not known here. A hazard is a state that
some order passes through. Pure; a test compares it with every order of small pools.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Literal, NamedTuple, TypeAlias

from dlq.planning.comparison import Difference, PoolPlan
from dlq.planning.placement import Worker

Kind: TypeAlias = Literal["two_owners", "unserved_queue", "two_schedulers", "no_scheduler"]


class Hazard(NamedTuple):
    """`queue` and `number` are None where the hazard is not about one; `machines` are those whose
    order decides whether it happens."""

    kind: Kind
    queue: str | None
    number: int | None
    machines: tuple[int, ...]
    text: str


def hazards(difference: Difference) -> tuple[Hazard, ...]:
    return (
        *_two_owners(difference),
        *_unserved_queues(difference.old, difference.new),
        *_schedulers(difference.old, difference.new),
    )


def safe_order(difference: Difference) -> tuple[int, ...] | None:
    """Return an order of change in which no worker number has two machines at any time.

    Each worker's old machine changes before its new one. None where the moves form a circle: then
    some machines must be stopped together.
    """
    before: dict[int, set[int]] = {
        machine: set()
        for machine in sorted(difference.old.all_machines | difference.new.all_machines)
    }
    for move in difference.moved:
        before[move.new].add(move.old)
    try:
        return tuple(TopologicalSorter(before).static_order())
    except CycleError:
        return None


def _two_owners(difference: Difference) -> Iterator[Hazard]:
    for (queue, number), old, new in difference.moved:
        yield Hazard(
            "two_owners",
            queue,
            number,
            (old, new),
            f"{queue}/{number} moves from machine {old} to machine {new}: if {new} changes first,"
            f" its new worker waits until machine {old} is stopped",
        )


def _unserved_queues(old: PoolPlan, new: PoolPlan) -> Iterator[Hazard]:
    before, after = _machines_by_queue(old.machines), _machines_by_queue(new.machines)
    for queue in sorted(before.keys() & after.keys()):
        if before[queue].isdisjoint(after[queue]):
            yield Hazard(
                "unserved_queue",
                queue,
                None,
                tuple(sorted(before[queue] | after[queue])),
                f"queue {queue} has no worker after {_machines(before[queue])}"
                f" {'has' if len(before[queue]) == 1 else 'have'} changed and until"
                f" {_machines(after[queue])} {'has' if len(after[queue]) == 1 else 'have'}",
            )


def _schedulers(old: PoolPlan, new: PoolPlan) -> Iterator[Hazard]:
    before, after = old.schedulers, new.schedulers
    pairs = [
        {a, b}
        for a in after
        for b in before
        if a != b and not {a, b} <= before and not {a, b} <= after
    ]
    if pairs:
        machines = tuple(sorted(set().union(*pairs)))
        yield Hazard(
            "two_schedulers",
            None,
            None,
            machines,
            f"the cron scheduler moves from {_machines(before)} to {_machines(after)}: both"
            " schedule if the new one changes first. A run is still enqueued only once, unless one"
            " of them runs django-lightweight-queue",
        )
    if before and new.cron and before.isdisjoint(after):
        until = f"until {_machines(after)} has" if after else "from then on"
        yield Hazard(
            "no_scheduler",
            None,
            None,
            tuple(sorted(before | after)),
            f"no machine schedules cron rows after {_machines(before)} has changed, {until}",
        )


def _machines_by_queue(machines: Mapping[Worker, int]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    for (queue, _), machine in machines.items():
        found[queue].add(machine)
    return dict(found)


def _machines(numbers: Iterable[int]) -> str:
    names = [str(number) for number in sorted(numbers)]
    if len(names) == 1:
        return f"machine {names[0]}"
    return f"machines {', '.join(names[:-1])} and {names[-1]}"
