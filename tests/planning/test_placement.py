"""Placement: the rule of 4.11, and the one that moves little."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlq.planning.placement import assign_machines
from dlq.planning.split import Pool, QueuePlan, split
from dlq.types import QueueName
from tests.planning.configurations import workers_of
from tests.planning.placement_bounds import LARGEST_POOL, machines_by_worker, measure

COUNTS = st.dictionaries(st.text("abcdef", min_size=1, max_size=4), st.integers(0, 9), max_size=25)
MACHINES = st.integers(1, 25)


@settings(deadline=None)
@given(COUNTS, MACHINES)
def test_dealt_is_the_rule_of_the_old_package(counts: dict[str, int], of: int) -> None:
    workers = workers_of(counts)
    assert assign_machines(workers, of, "dealt") == [
        (k % of) + 1 for k in range(1, len(workers) + 1)
    ]


@settings(deadline=None)
@given(COUNTS, MACHINES)
def test_stable_uses_every_machine_evenly(counts: dict[str, int], of: int) -> None:
    workers = workers_of(counts)
    machines = assign_machines(workers, of, "stable")
    assert len(machines) == len(workers)
    assert set(machines) <= set(range(1, of + 1))
    loads = Counter(machines)
    every = [loads[machine] for machine in range(1, of + 1)]
    assert max(every) - min(every) <= 1


@settings(deadline=None)
@given(COUNTS, MACHINES)
def test_another_machine_takes_workers_and_moves_no_other(counts: dict[str, int], of: int) -> None:
    workers = workers_of(counts)
    before = machines_by_worker(workers, of, "stable")
    after = machines_by_worker(workers, of + 1, "stable")
    moves = [worker for worker in workers if before[worker] != after[worker]]
    assert {after[worker] for worker in moves} <= {of + 1}
    assert len(moves) <= -(-len(workers) // (of + 1))


@settings(deadline=None)
@given(COUNTS, st.integers(1, LARGEST_POOL), st.integers(1, 16))
def test_another_queue_moves_few_of_the_others(counts: dict[str, int], of: int, k: int) -> None:
    workers = workers_of(counts)
    before = machines_by_worker(workers, of, "stable")
    after = machines_by_worker(workers_of({**counts, "new": k}), of, "stable")
    assert sum(before[worker] != after[worker] for worker in workers) <= 2 * k + 2 * of + 6


def test_the_bounds_are_kept_over_many_configurations() -> None:
    """The long form is `python -m tests.planning.placement_bounds 100000`."""
    bounds = measure(1500, seed=7)
    assert bounds.are_kept, bounds
    assert bounds.dealt_share > 0.8
    assert bounds.together < 0.02, "workers of one queue are seldom all on one machine"


def test_stable_is_the_same_on_every_machine_and_for_ever() -> None:
    """Machines of one pool compute it apart, and releases of dlq must not move workers."""
    workers = workers_of({"emails": 4, "images": 3, "reports": 1})
    assert assign_machines(workers, 3, "stable") == [2, 3, 2, 1, 3, 1, 2, 3]


def queues(counts: dict[str, int]) -> list[QueuePlan]:
    return [
        QueuePlan(QueueName(name), count, "a.Backend", None, "setting")
        for name, count in sorted(counts.items())
    ]


@pytest.mark.parametrize("machine", [None, 1, 2, 3])
def test_a_split_follows_the_placement(machine: int | None) -> None:
    counts = {"emails": 4, "images": 3, "reports": 1}
    answer = split(queues(counts), Pool(machine, 3), key_prefix="", placement="stable")
    expected = machines_by_worker(workers_of(counts), 3, "stable")
    assert [(worker.queue, worker.number, worker.machine) for worker in answer.workers] == [
        (*worker, at) for worker, at in expected.items() if machine in (None, at)
    ]
    for at in {worker.machine for worker in answer.workers}:
        positions = [worker.position for worker in answer.workers if worker.machine == at]
        assert positions == list(range(1, len(positions) + 1))


def test_the_pool_id_includes_the_placement() -> None:
    composed, pool = queues({"emails": 4}), Pool(1, 3)
    dealt = split(composed, pool, key_prefix="")
    stable = split(composed, pool, key_prefix="", placement="stable")
    assert dealt.pool_id == "04645b77", "as without placements"
    assert stable.pool_id != dealt.pool_id


def test_an_exact_configuration_has_no_placement() -> None:
    composed, pool = queues({"emails": 4}), Pool(exact=True)
    dealt = split(composed, pool, key_prefix="")
    stable = split(composed, pool, key_prefix="", placement="stable")
    assert stable.workers == dealt.workers
    assert stable.pool_id == dealt.pool_id
