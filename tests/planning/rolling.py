"""An independent simulation of a rolling change, and random pairs of plan documents."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from itertools import permutations
from typing import Any, NamedTuple

from dlq.planning.comparison import PoolPlan
from dlq.planning.placement import Placement
from dlq.planning.split import Pool, QueuePlan, Split, split
from dlq.types import QueueName
from tests.planning.configurations import random_counts


class Machine(NamedTuple):
    """What one machine runs by one plan."""

    workers: frozenset[tuple[str, int]]
    schedules: bool


STOPPED = Machine(frozenset(), False)


def machine_of(plan: PoolPlan, machine: int) -> Machine:
    return Machine(
        frozenset(worker for worker, at in plan.machines.items() if at == machine),
        machine in plan.schedulers,
    )


def states(old: PoolPlan, new: PoolPlan) -> Iterator[dict[int, tuple[str, Machine]]]:
    """Every state that some order of change passes through: machine -> (which plan, what runs)."""
    machines = range(1, max(old.of, new.of) + 1)
    for order in permutations(machines):
        running = {m: ("old", machine_of(old, m)) for m in machines}
        yield dict(running)
        for machine in order:
            running[machine] = ("new", machine_of(new, machine))
            yield dict(running)


class Seen(NamedTuple):
    two_owners: frozenset[tuple[str, int]]
    unserved: frozenset[str]
    two_schedulers: bool
    no_scheduler: bool


def simulate(old: PoolPlan, new: PoolPlan) -> Seen:
    """Look at every state and note what is wrong in it."""
    two_owners: set[tuple[str, int]] = set()
    unserved: set[str] = set()
    two_schedulers = no_scheduler = False
    both = {queue for queue, _ in old.machines} & {queue for queue, _ in new.machines}
    for state in states(old, new):
        owned: set[tuple[str, int]] = set()
        for _, machine in state.values():
            two_owners |= owned & machine.workers
            owned |= machine.workers
        unserved |= both - {queue for queue, _ in owned}
        scheduling = {number for number, (_, machine) in state.items() if machine.schedules}
        if old.schedulers and new.cron and not scheduling:
            no_scheduler = True
        of_old = {number for number in scheduling if state[number][0] == "old"}
        for a in scheduling - of_old:
            for b in of_old:
                # Two of one plan schedule together by design (CRON_MACHINES = "all").
                if not ({a, b} <= old.schedulers or {a, b} <= new.schedulers):
                    two_schedulers = True
    return Seen(frozenset(two_owners), frozenset(unserved), two_schedulers, no_scheduler)


def splits(
    counts: Mapping[str, int], of: int, placement: Placement, machine: int | None = None
) -> Split:
    queues = [
        QueuePlan(QueueName(name), count, "a.Backend", None, "setting")
        for name, count in sorted(counts.items())
    ]
    return split(queues, Pool(machine, of), key_prefix="", placement=placement)


def document(
    counts: Mapping[str, int],
    of: int,
    placement: Placement = "dealt",
    *,
    machine: int | None = None,
    schedulers: tuple[int, ...] = (1,),
    entries: tuple[dict[str, Any], ...] = (),
    settings: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A plan document, as `plan --format json` writes it."""
    answer = splits(counts, of, placement, machine)
    return {
        "format_version": "1",
        "pool": {
            "id": answer.pool_id,
            "machine": machine,
            "of": of,
            "exact": False,
            "only_queue": None,
            "placement": placement,
        },
        "workers": [
            {"machine": worker.machine, "queue": worker.queue, "number": worker.number}
            for worker in answer.workers
        ],
        "queues": {
            queue.name: {"workers": queue.workers, "backend": queue.backend}
            for queue in answer.queues
        },
        "cron": {"runs_here": True, "machines": list(schedulers), "entries": list(entries)},
        "settings": dict(settings or {}),
    }


def random_pair(
    chance: random.Random, queues: int = 12, largest: int = 8
) -> tuple[tuple[dict[str, int], int, Placement], tuple[dict[str, int], int, Placement]]:
    """A configuration and a changed one: queues come, go and get other counts."""
    old = random_counts(chance, queues)
    new = {
        name: chance.choice([count, count, count, max(0, count + chance.randint(-2, 3))])
        for name, count in old.items()
        if chance.random() < 0.9
    }
    if chance.random() < 0.5:
        new.update(random_counts(chance, 3))
    of = chance.randint(1, largest)
    grown = chance.choice([of, of, max(1, of + chance.randint(-2, 2))])
    rule: Placement = chance.choice(["dealt", "stable"])
    other: Placement = chance.choice([rule, rule, rule, "dealt", "stable"])
    return (old, of, rule), (new, min(grown, largest), other)
