"""Delayed jobs: never early, in the order of being due, and workers that wait hear of them."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from dlq.backends.base import BaseBackend
from dlq.backends.redis_storage.storage import RedisStorage
from dlq.backends.synchronous import SynchronousBackend
from dlq.errors import EnqueueError, UnsupportedByBackend
from dlq.job import Job
from dlq.jobs.placement import Placement
from dlq.types import QueueName, WorkerNumber
from tests.backends.conftest import Make
from tests.backends.storages import (
    REDIS,
    RELIABLE,
    Q,
    consuming,
    drain,
    first_argument,
    job,
    take,
    take_soon,
)
from tests.kit.valkey import Server
from tests.kit.waiting import wait_until


@pytest.fixture(params=[REDIS, RELIABLE], ids=lambda storage: storage.backend_class.__name__)
def backend(request: pytest.FixtureRequest, make: Make) -> RedisStorage:
    found: RedisStorage = make(request.param.backend_class)
    return found


def test_is_never_early_and_comes_when_it_is_due(backend: RedisStorage) -> None:
    began = time.time()
    assert backend.store([job("later")], Q, Placement(delay=0.3), [""]) == 1
    (delayed,) = backend.delayed_jobs(Q)
    assert delayed.due == pytest.approx(began + 0.3, abs=0.1)
    assert delayed.job is not None
    assert backend.delayed_count(Q) == backend.queue_state(Q).delayed == 1
    assert backend.queues_with_delayed_jobs() == [Q]
    with consuming(backend) as consumer:
        assert consumer.take(0) is None
        wait_until(lambda: backend.promote({Q: 0}) == 2.0, 3, what="the job is due")
        assert time.time() >= delayed.due
        assert first_argument(take(consumer)) == "later"


def test_a_moment_is_a_moment(backend: RedisStorage) -> None:
    at = time.time() + 60
    backend.store([job(1)], Q, Placement(at=at), [""])
    (delayed,) = backend.delayed_jobs(Q)
    assert delayed.due == pytest.approx(at, abs=0.001)
    assert backend.promote({Q: 1}) == pytest.approx(60, abs=1)
    assert backend.promote({QueueName("other"): 1}) is None


def test_jobs_come_in_the_order_of_being_due(backend: RedisStorage) -> None:
    backend.enqueue(job("waits"), Q)
    moment = time.time() - 5
    for number in (3, 1, 2):
        backend.store([job(number)], Q, Placement(at=moment + number), [""])
    backend.store([job("a"), job("b"), job("c")], Q, Placement(at=moment + 4), ["", "", ""])
    assert backend.promote({Q: 3}) == 2.0, "the queue has jobs, so its workers look for themselves"
    with consuming(backend) as consumer:
        found = drain(consumer)
    found.remove("waits")
    assert found == [1, 2, 3, "a", "b", "c"]


def test_a_worker_that_waits_is_woken(backend: RedisStorage) -> None:
    backend.store([job(n) for n in range(3)], Q, Placement(at=time.time() - 1), [""] * 3)
    assert backend.promote({Q: 1}) == pytest.approx(0.05)
    assert backend.length(Q) == 1
    assert backend.delayed_count(Q) == 2
    with consuming(backend) as consumer:
        assert sorted(drain(consumer)) == [0, 1, 2]


def test_a_late_job_is_promoted_for_workers_that_are_not_ours(backend: RedisStorage) -> None:
    backend.store([job(1)], Q, Placement(at=time.time() - 0.2), [""])
    assert backend.promote({Q: 0}) == 2.0
    assert backend.length(Q) == 0
    wait_until(lambda: backend.promote({Q: 0}) is None, 3, what="it is a second late")
    assert backend.length(Q) == 1


def test_a_paused_queue_keeps_its_delayed_jobs(backend: RedisStorage) -> None:
    backend.pause(Q, datetime.now(UTC) + timedelta(minutes=1))
    backend.store([job(1)], Q, Placement(at=time.time() - 5), [""])
    assert backend.promote({Q: 1}) == 2.0
    assert backend.delayed_count(Q) == 1


def test_run_and_discard(backend: RedisStorage) -> None:
    backend.store([job(n) for n in range(5)], Q, Placement(delay=600), [""] * 5)
    delayed = list(backend.delayed_jobs(Q))
    assert [each.job.args[0] for each in delayed if each.job] == [0, 1, 2, 3, 4]
    assert backend.discard_delayed(Q, [delayed[1], delayed[1]]) == 1
    assert backend.run_delayed(Q, [delayed[1], delayed[2], delayed[3]]) == 2
    with consuming(backend) as consumer:
        assert drain(consumer) == [2, 3]
    assert backend.clear_delayed(Q) == 2
    assert backend.delayed_count(Q) == 0


def test_pages_show_every_job_once(backend: RedisStorage) -> None:
    backend.store([job(n) for n in range(1203)], Q, Placement(delay=600), [""] * 1203)
    seen = [each.job.args[0] for each in backend.delayed_jobs(Q) if each.job]
    assert seen == list(range(1203))


def test_a_full_server_refuses_it_and_stores_nothing(backend: RedisStorage, server: Server) -> None:
    with server.client() as client:
        client.config_set("maxmemory", 1)
        try:
            with pytest.raises(EnqueueError) as caught:
                backend.store([job(1)], Q, Placement(delay=1), [""])
            assert not caught.value.may_be_stored
        finally:
            client.config_set("maxmemory", 0)
    assert backend.delayed_count(Q) == 0


def test_takes_one_round_trip(backend: RedisStorage, server: Server) -> None:
    backend.store([job(0)], Q, Placement(delay=600), [""])
    with server.client() as client:

        def commands() -> int:
            return int(client.info("stats")["total_commands_processed"])

        before = commands()
        backend.store([job(1)], Q, Placement(delay=600), [""])
        # Scripts' own commands count too, and so does the INFO before.
        per_job = commands() - before
        before = commands()
        backend.store([job(n) for n in range(50)], Q, Placement(delay=600), [""] * 50)
        assert commands() - before <= per_job + 49


def test_many_due_at_once_in_bounded_steps_and_in_order(
    backend: RedisStorage, server: Server
) -> None:
    count = 20_000
    moment = time.time() - 10
    for start in range(0, count, 1000):
        jobs = [job(n) for n in range(start, start + 1000)]
        backend.store(jobs, Q, Placement(at=moment), [""] * 1000)
    with server.client() as client:
        client.config_set("slowlog-log-slower-than", 10_000)
        client.slowlog_reset()
        with consuming(backend) as consumer:
            assert drain(consumer) == list(range(count))
        assert client.slowlog_get() == []


def test_the_synchronous_backend_runs_at_once() -> None:
    backend = SynchronousBackend()
    done = Job("tests.project.orders.tasks.mail", ["a@example.com"], {"subject": "x"})
    assert backend.store([done], Q, Placement(delay=60), [""]) == 1


class ListBackend(BaseBackend):
    """As a user's own may be: the interface of 4.11 and no more."""

    def enqueue(self, job: Job, queue: QueueName) -> None: ...

    def dequeue(self, queue: QueueName, worker_num: WorkerNumber, timeout: int) -> Job | None:
        return None

    def length(self, queue: QueueName) -> int:
        return 0


def test_a_backend_of_a_user_says_what_it_does_not_keep() -> None:
    backend = ListBackend()
    for placement, what in ((Placement(delay=1), "delayed"), (Placement(unique=1), "unique")):
        with pytest.raises(UnsupportedByBackend, match=f"keeps no {what} jobs: use dlq"):
            backend.store([job(1)], Q, placement, ["x"])


def test_a_worker_that_waits_hears_of_a_job_that_is_due(backend: RedisStorage) -> None:
    backend.store([job(1)], Q, Placement(delay=0.2), [""])
    with consuming(backend) as consumer:
        if consumer.redelivers:
            assert first_argument(take_soon(consumer)) == 1
