"""The split of a pool: number k of the sorted workers belongs to machine (k mod N) + 1."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlq.planning.split import Pool, QueuePlan, Split, compose_queues, split
from dlq.types import QueueName, Source

TASK = Source("task", "tasks.py", 4)
CRON = Source("cron", "cron.py", 5)


def queues(
    workers: Mapping[str, int],
    tasks: tuple[str, ...] = (),
    cron: tuple[str, ...] = (),
    *,
    exact: bool = False,
    overridden: bool = False,
) -> tuple[QueuePlan, ...]:
    return compose_queues(
        workers,
        {QueueName(name): TASK for name in tasks},
        {QueueName(name): CRON for name in cron},
        {"special": "b.Special"},
        "a.Default",
        exact=exact,
        overridden=overridden,
    )


def names(answer: Split) -> list[tuple[int, str]]:
    return [(worker.machine, worker.name) for worker in answer.workers]


def counts(composed: tuple[QueuePlan, ...]) -> dict[str, int]:
    return {queue.name: queue.workers for queue in composed}


class TestQueues:
    def test_are_those_of_workers_tasks_and_cron_by_name(self) -> None:
        composed = queues({"b": 2, "a": 0}, tasks=("t", "b"), cron=("c", "t"))
        assert counts(composed) == {"a": 0, "b": 2, "c": 1, "t": 1}
        assert list(counts(composed)) == ["a", "b", "c", "t"]
        assert [queue.origin for queue in composed] == ["setting", "setting", "cron", "task"]
        assert [queue.source for queue in composed] == [None, None, CRON, TASK]

    def test_of_tasks_are_dropped_by_an_override_and_those_of_cron_are_not(self) -> None:
        assert counts(queues({"a": 1}, ("t",), ("c",), overridden=True)) == {"a": 1, "c": 1}

    def test_of_an_exact_configuration_are_those_of_workers_only(self) -> None:
        assert counts(queues({"a": 1}, ("t",), ("c",), exact=True)) == {"a": 1, "t": 1}
        overridden = queues({"a": 1}, ("t",), ("c",), exact=True, overridden=True)
        assert counts(overridden) == {"a": 1}

    def test_have_the_default_backend_or_their_own(self) -> None:
        assert [queue.backend for queue in queues({"other": 1, "special": 1})] == [
            "a.Default",
            "b.Special",
        ]


class TestSplit:
    def test_is_that_of_the_example(self) -> None:
        composed = queues({"queue1": 3}, tasks=("emails", "default"))
        assert {
            machine: names(split(composed, Pool(machine, 3), key_prefix=""))
            for machine in (1, 2, 3)
        } == {
            1: [(1, "queue1/1")],
            2: [(2, "default/1"), (2, "queue1/2")],
            3: [(3, "emails/1"), (3, "queue1/3")],
        }

    def test_of_one_machine_has_all(self) -> None:
        answer = split(queues({"a": 2, "b": 0}), Pool(), key_prefix="")
        assert names(answer) == [(1, "a/1"), (1, "a/2")]
        assert answer.runs_cron

    def test_of_an_exact_configuration_has_all_and_no_cron(self) -> None:
        answer = split(queues({"a": 2}, exact=True), Pool(exact=True), key_prefix="")
        assert names(answer) == [(1, "a/1"), (1, "a/2")]
        assert not answer.runs_cron

    def test_counts_after_only_queue_has_narrowed_it(self) -> None:
        composed = queues({"a": 3, "b": 2})
        answer = split(composed, Pool(None, 2, only_queue=QueueName("b")), key_prefix="")
        assert names(answer) == [(2, "b/1"), (1, "b/2")]

    def test_numbers_metrics_ports_by_place_on_the_machine(self) -> None:
        answer = split(queues({"a": 3, "b": 3}), Pool(None, 2), key_prefix="")
        places: dict[int, list[int]] = {1: [], 2: []}
        for worker in answer.workers:
            places[worker.machine].append(worker.position)
        assert places == {1: [1, 2, 3], 2: [1, 2, 3]}

    @given(
        workers=st.dictionaries(st.text("abcde", min_size=1, max_size=3), st.integers(0, 9)),
        of=st.integers(1, 9),
    )
    def test_deals_each_worker_to_one_machine(self, workers: dict[str, int], of: int) -> None:
        composed = queues(workers)
        whole = split(composed, Pool(None, of), key_prefix="")
        parts = [split(composed, Pool(machine, of), key_prefix="") for machine in range(1, of + 1)]
        assert sorted(names(whole)) == sorted(name for part in parts for name in names(part))
        assert len(whole.workers) == sum(workers.values())
        sizes = [len(part.workers) for part in parts]
        assert max(sizes) - min(sizes) <= 1
        assert len({part.pool_id for part in parts}) == 1


@pytest.mark.parametrize(
    ("pool", "runs"),
    [
        (Pool(1, 3), True),
        (Pool(2, 3), False),
        (Pool(None, 3), True),
        (Pool(1, 3, only_queue=QueueName("a")), False),
        (Pool(1, 3, only_queue=QueueName("cron_scheduler")), True),
        (Pool(2, 3, only_queue=QueueName("cron_scheduler")), False),
        (Pool(exact=True), False),
    ],
)
def test_machine_1_schedules_cron(pool: Pool, runs: bool) -> None:
    assert split(queues({"a": 1}), pool, key_prefix="").runs_cron is runs


class TestPoolId:
    BASE = queues({"a": 1, "b": 2})

    def test_is_eight_hex_digits_and_stays(self) -> None:
        """It is compared by scripts (--expect-pool): a new way to count it is a new format."""
        assert split(self.BASE, Pool(1, 3), key_prefix="").pool_id == "5498559c"

    @pytest.mark.parametrize(
        ("composed", "pool", "prefix"),
        [
            (BASE, Pool(1, 4), ""),
            (BASE, Pool(exact=True), ""),
            (BASE, Pool(1, 3, only_queue=QueueName("a")), ""),
            (BASE, Pool(1, 3), "shop"),
            (queues({"a": 1, "b": 3}), Pool(1, 3), ""),
            (queues({"a": 1, "special": 2}), Pool(1, 3), ""),
        ],
        ids=["machines", "exact", "only_queue", "prefix", "counts", "backends"],
    )
    def test_differs_where_pools_do(
        self, composed: tuple[QueuePlan, ...], pool: Pool, prefix: str
    ) -> None:
        base = split(self.BASE, Pool(1, 3), key_prefix="").pool_id
        assert split(composed, pool, key_prefix=prefix).pool_id != base

    def test_is_the_same_on_all_machines_and_wherever_a_count_was_written(self) -> None:
        elsewhere = compose_queues(
            {"b": 2, "a": 1},
            {},
            {},
            {},
            "a.Default",
            exact=False,
            overridden=True,
        )
        assert (
            split(elsewhere, Pool(2, 3), key_prefix="").pool_id
            == split(self.BASE, Pool(1, 3), key_prefix="").pool_id
        )
