"""Random configurations: queues with worker counts, and the workers they make."""

from __future__ import annotations

import random

from dlq.planning.placement import Worker


def random_counts(chance: random.Random, queues: int = 30) -> dict[str, int]:
    """Up to `queues` queues: mostly one or two workers, some with up to 16."""
    return {
        f"queue{chance.randrange(10**6)}": chance.choice([1, 1, 1, 2, 3, 4, chance.randint(1, 16)])
        for _ in range(chance.randint(1, queues))
    }


def workers_of(counts: dict[str, int]) -> list[Worker]:
    return [(name, number) for name in sorted(counts) for number in range(1, counts[name] + 1)]
