"""Which machine of a pool runs which worker: two pure rules over the sorted workers.

`dealt` is the rule of django-lightweight-queue 4.11, number for number. It balances well, but one
more queue or machine renumbers the whole list, and nearly every worker moves.

`stable` moves as little as balance allows. It builds the pool up one machine at a time: machine
m + 1 takes workers from machines 1 to m until all have the same load, give or take one, and no
worker moves between the old ones. Hence a pool of N + 1 is a pool of N plus the moves to the new
machine. Which workers a machine gives away is decided by a score of worker and new machine, which
doesn't depend on the other workers: another queue changes few of these choices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Literal, TypeAlias

Placement: TypeAlias = Literal["dealt", "stable"]

Worker: TypeAlias = tuple[str, int]
"""A queue's name and a worker number."""

SCORES = 2**64
"""Scores are 0 to SCORES - 1."""

GOLDEN_STEP = 0x9E3779B97F4A7C15
"""SCORES divided by the golden ratio. Multiples of it, modulo SCORES, lie far apart: workers of one
queue are rarely given away together, so that one machine rarely has them all."""


def assign_machines(workers: Sequence[Worker], of: int, placement: Placement) -> list[int]:
    """Return the machine (1 to `of`) of each worker, in the order given.

    `workers` are all that the pool runs, sorted by queue and number.
    """
    if placement == "dealt":
        return [index % of + 1 for index in range(1, len(workers) + 1)]
    machines = {
        worker: machine
        for machine, group in enumerate(_build_up(workers, of), start=1)
        for worker in group
    }
    return [machines[worker] for worker in workers]


def _build_up(workers: Sequence[Worker], of: int) -> list[list[Worker]]:
    groups = [list(workers)]
    for machine in range(2, of + 1):
        groups.append(_new_group(groups, machine, len(workers)))
    return groups


def _new_group(groups: list[list[Worker]], machine: int, count: int) -> list[Worker]:
    """Move workers out of `groups` into the group of the new `machine`, and return it.

    With least = count // machine, each group ends with least or least + 1 workers. So a group gives
    up those above least + 1 in any case. The rest comes from the groups that can still give one,
    those with the highest scores first.
    """
    score = _score_function(machine)
    least, remainder = divmod(count, machine)
    taken: list[Worker] = []
    candidates: list[tuple[int, Worker, int]] = []
    for index, group in enumerate(groups):
        group.sort(key=score)
        while len(group) > least + 1:
            taken.append(group.pop())
        if len(group) == least + 1:
            candidates.append((score(group[-1])[0], group[-1], index))
    candidates.sort(reverse=True)
    missing = least - len(taken)
    if remainder and missing < len(candidates) and _is_due(candidates[missing][0], machine):
        missing += 1
    for _, _, index in candidates[:missing]:
        taken.append(groups[index].pop())
    return taken


def _is_due(score: int, machine: int) -> bool:
    """Whether a worker would go to the new machine if balance didn't matter: 1 of `machine` do."""
    return score * machine >= SCORES * (machine - 1)


def _score_function(machine: int) -> Callable[[Worker], tuple[int, Worker]]:
    """Return a sort key: how much a worker belongs on `machine`. The worker itself breaks ties."""
    queues: dict[str, int] = {}

    def score(worker: Worker) -> tuple[int, Worker]:
        queue, number = worker
        if queue not in queues:
            digest = blake2b(f"{machine} {queue}".encode(), digest_size=8).digest()
            queues[queue] = int.from_bytes(digest, "big")
        return (queues[queue] + number * GOLDEN_STEP) % SCORES, worker

    return score
