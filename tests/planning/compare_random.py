"""Compare random pairs of configurations, and check the answer against two independent splits.

    python -m tests.planning.compare_random 10000

prints one JSON line, and exits with 1 when a comparison is wrong.
"""

from __future__ import annotations

import json
import random
import sys

from dlq.planning.comparison import compare, read_plan
from tests.planning.configurations import workers_of
from tests.planning.rolling import document, random_pair, splits


def dealt_by_hand(counts: dict[str, int], of: int) -> dict[tuple[str, int], int]:
    """The rule of 4.11, once more: number k belongs to machine (k mod of) + 1."""
    return {worker: (k % of) + 1 for k, worker in enumerate(workers_of(counts), start=1)}


def machines(counts: dict[str, int], of: int, placement: str) -> dict[tuple[str, int], int]:
    """What each machine says of itself, one plan per machine."""
    if placement == "dealt":
        return dealt_by_hand(counts, of)
    return {
        (str(worker.queue), int(worker.number)): machine
        for machine in range(1, of + 1)
        for worker in splits(counts, of, "stable", machine).workers
    }


def wrong(seed: int) -> str | None:
    """What is wrong with the comparison of one random pair."""
    chance = random.Random(seed)
    old, new = random_pair(chance)
    before, after = machines(*old), machines(*new)
    # A document of one machine must be enough.
    sides = [
        read_plan(document(*side, machine=chance.choice([None, 1, side[1]])), "a document")
        for side in (old, new)
    ]
    found = compare(*sides)
    added = {worker: at for worker, at in after.items() if worker not in before}
    removed = {worker: at for worker, at in before.items() if worker not in after}
    moved = {
        worker: (before[worker], after[worker])
        for worker in before.keys() & after.keys()
        if before[worker] != after[worker]
    }
    if dict(found.added) != added:
        return f"seed {seed}: added {found.added}, expected {added}"
    if dict(found.removed) != removed:
        return f"seed {seed}: removed {found.removed}, expected {removed}"
    if {move.worker: (move.old, move.new) for move in found.moved} != moved:
        return f"seed {seed}: moved {found.moved}, expected {moved}"
    is_same = splits(*old).pool_id == splits(*new).pool_id
    if found.is_empty != (is_same and not (added or removed or moved)):
        return f"seed {seed}: same is {found.is_empty}"
    return None


if __name__ == "__main__":
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    mistakes = [text for seed in range(pairs) if (text := wrong(seed)) is not None]
    print(json.dumps({"pairs": pairs, "wrong": len(mistakes), "examples": mistakes[:3]}))
    sys.exit(1 if mistakes else 0)
