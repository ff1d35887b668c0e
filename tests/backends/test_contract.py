"""One suite per interface: what every backend promises, over all of them, on a real server."""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dlq.backends.base import (
    BackendWithClear,
    BackendWithDeduplicate,
    BackendWithFailedJobs,
    BackendWithPauseResume,
    BackendWithRunners,
    BaseBackend,
)
from dlq.backends.redis_storage.storage import RedisStorage
from dlq.job import encode
from dlq.testing import BackendContract
from dlq.types import QueueName
from tests.backends.conftest import Make
from tests.backends.storages import (
    DEBUG_WEB,
    FAILURE,
    OLD_STYLE,
    REDIS,
    RELIABLE,
    SYNCHRONOUS,
    Q,
    Storage,
    consuming,
    drain,
    first_argument,
    job,
    make_runner,
    take,
    take_soon,
)
from tests.kit.valkey import Server
from tests.kit.waiting import wait_until

ALL = [SYNCHRONOUS, DEBUG_WEB, REDIS, RELIABLE, OLD_STYLE]


def name(storage: Storage) -> str:
    return storage.backend_class.__name__


@pytest.fixture(params=ALL, ids=name)
def storage(request: pytest.FixtureRequest) -> Storage:
    found: Storage = request.param
    return found


@pytest.fixture(params=[s for s in ALL if s.keeps], ids=name)
def keeping(request: pytest.FixtureRequest) -> Storage:
    found: Storage = request.param
    return found


@pytest.fixture(params=[REDIS, RELIABLE], ids=name)
def backend(request: pytest.FixtureRequest, make: Make) -> RedisStorage:
    found: RedisStorage = make(request.param.backend_class)
    return found


@pytest.fixture
def build(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("TEST_SPOOL", str(tmp_path))

    def built(storage: Storage) -> BaseBackend:
        if storage in (REDIS, RELIABLE, DEBUG_WEB):
            made: BaseBackend = make(storage.backend_class)
            return made
        return storage.backend_class()

    return built


# Every backend in which jobs wait


class Contract(BackendContract):
    """The suite that authors of backends run, over the backends of dlq and one of a user."""

    storage: Storage

    @pytest.fixture(autouse=True)
    def _build(self, build: Any) -> None:
        self._built = build

    def make_backend(self) -> BaseBackend:
        made: BaseBackend = self._built(self.storage)
        return made


class TestRedis(Contract):
    storage = REDIS


class TestReliableRedis(Contract):
    storage = RELIABLE
    redelivers = True


class TestOldStyle(Contract):
    storage = OLD_STYLE
    redelivers = True
    waits = False  # not as long as it may, and its worker comes again


# Backends in which none waits


@pytest.mark.parametrize("storage", [SYNCHRONOUS, DEBUG_WEB], ids=name)
def test_a_worker_of_a_backend_without_jobs_waits(build: Any, storage: Storage) -> None:
    backend = build(storage)
    backend.reset()
    with consuming(backend) as consumer:
        began = time.monotonic()
        assert consumer.take(1) is None
        assert 0.9 < time.monotonic() - began < 4
    assert backend.length(Q) == 0


# What the Redis backends can do beyond that


def test_a_worker_that_waits_can_be_woken(backend: RedisStorage) -> None:
    with consuming(backend) as consumer:
        assert consumer.take(0) is None
        timer = threading.Timer(0.2, consumer.wake)
        timer.start()
        began = time.monotonic()
        assert consumer.take(10) is None
        assert time.monotonic() - began < 5
        timer.join()


def test_give_back_makes_a_job_the_next_one(backend: RedisStorage) -> None:
    backend.bulk_enqueue([job(0), job(1)], Q)
    with consuming(backend) as consumer:
        consumer.give_back(take(consumer))
        assert backend.length(Q) == 2
        taken = take(consumer)
        assert first_argument(taken) == 0
        assert not taken.crashes
        consumer.acknowledge(taken)
        assert drain(consumer) == [1]


def test_close_gives_back_what_came_with_the_last_acknowledgement(backend: RedisStorage) -> None:
    backend.bulk_enqueue([job(n) for n in range(3)], Q)
    with consuming(backend) as consumer:
        consumer.acknowledge(take(consumer))
    assert backend.queue_state(Q).in_hand == 0
    assert backend.length(Q) == 2
    with consuming(backend) as consumer:
        assert drain(consumer) == [1, 2]


def test_pause_holds_jobs_until_resume(backend: RedisStorage) -> None:
    assert isinstance(backend, BackendWithPauseResume)
    backend.enqueue(job(0), Q)
    until = datetime.now(UTC) + timedelta(hours=1)
    backend.pause(Q, until)
    assert backend.is_paused(Q)
    shown = backend.queue_state(Q).paused_until
    assert shown is not None
    assert abs(shown - until.timestamp()) < 5
    with consuming(backend) as consumer:
        assert consumer.take(0.1) is None
        assert backend.length(Q) == 1
        backend.resume(Q)
        assert not backend.is_paused(Q)
        assert drain(consumer) == [0]


def test_a_pause_ends_by_itself(backend: RedisStorage) -> None:
    backend.enqueue(job(0), Q)
    backend.pause(Q, datetime.now(UTC) + timedelta(seconds=0.4))
    with consuming(backend) as consumer:
        taken = take_soon(consumer)
        assert first_argument(taken) == 0
        consumer.acknowledge(taken)
    assert not backend.is_paused(Q)


def test_a_pause_of_one_queue_is_not_one_of_another(backend: RedisStorage) -> None:
    backend.enqueue(job(0), Q)
    backend.pause(QueueName("images"), datetime.now(UTC) + timedelta(hours=1))
    with consuming(backend) as consumer:
        assert drain(consumer) == [0]


def test_clear_drops_what_waits_and_nothing_else(backend: RedisStorage) -> None:
    assert isinstance(backend, BackendWithClear)
    backend.bulk_enqueue([job(n) for n in range(5)], Q)
    backend.enqueue(job("other"), QueueName("images"))
    with consuming(backend) as consumer:
        taken = take(consumer)
        assert backend.clear(Q) == 4
        assert backend.clear(Q) == 0
        assert backend.length(QueueName("images")) == 1
        consumer.acknowledge(taken)
        assert consumer.take(0) is None


def test_deduplicate_keeps_the_oldest(backend: RedisStorage) -> None:
    assert isinstance(backend, BackendWithDeduplicate)
    sent = [job(n % 3) for n in range(9)]
    backend.bulk_enqueue(sent, Q)
    assert backend.deduplicate(Q) == (9, 3)
    assert backend.deduplicate(Q) == (3, 3)
    with consuming(backend) as consumer:
        for expected in sent[:3]:
            taken = take(consumer)
            assert taken.raw == encode(expected)
            consumer.acknowledge(taken)


def test_failed_jobs_are_kept_with_their_reasons(backend: RedisStorage) -> None:
    assert isinstance(backend, BackendWithFailedJobs)
    began = time.time()
    sent = [job(n) for n in range(3)]
    backend.bulk_enqueue(sent, Q)
    with consuming(backend) as consumer:
        for n in range(3):
            consumer.fail(take(consumer), FAILURE._replace(reason=f"reason {n}", attempts=n + 1))
    assert backend.failed_count(Q) == 3
    assert backend.queues_with_failed_jobs() == [Q]
    kept = list(backend.failed_jobs(Q))
    assert [failed.raw for failed in kept] == [encode(j) for j in reversed(sent)]
    newest = kept[0]
    assert newest.failure == FAILURE._replace(reason="reason 2", attempts=3)
    assert newest.job == sent[2]
    assert newest.queue == Q
    assert began - 1 < newest.failed_at < time.time() + 1
    assert len({failed.id for failed in kept}) == 3


def test_failed_jobs_are_retried_and_discarded_by_id(backend: RedisStorage) -> None:
    backend.bulk_enqueue([job(n) for n in range(4)], Q)
    with consuming(backend) as consumer:
        for _ in range(4):
            consumer.fail(take(consumer), FAILURE)
        three, two, one, zero = backend.failed_jobs(Q)
        assert backend.retry_failed(Q, [zero.id, two.id, "no id", "ffff"]) == 2
        assert backend.retry_failed(Q, [zero.id]) == 0
        assert backend.discard_failed(Q, [one.id, one.id]) == 1
        assert backend.discard_failed(Q, ["nonsense"]) == 0
        assert [kept.id for kept in backend.failed_jobs(Q)] == [three.id]
        assert drain(consumer) == [0, 2]


def test_failed_jobs_are_bounded(make: Make) -> None:
    for storage in (REDIS, RELIABLE):
        for keep, expected in ((2, [4, 3]), (0, [])):
            backend = make(storage.backend_class, failed_keep=keep)
            queue = QueueName(f"{name(storage)}{keep}")
            backend.bulk_enqueue([job(n) for n in range(5)], queue)
            with consuming(backend, queue=queue) as consumer:
                while (taken := consumer.take(0)) is not None:
                    consumer.fail(taken, FAILURE)
            assert [kept.job.args[0] for kept in backend.failed_jobs(queue)] == expected


def test_failed_jobs_are_read_in_pages(backend: RedisStorage) -> None:
    backend.bulk_enqueue([job(n) for n in range(250)], Q)
    with consuming(backend) as consumer:
        while (taken := consumer.take(0)) is not None:
            consumer.fail(taken, FAILURE)
    kept = [failed.job.args[0] for failed in backend.failed_jobs(Q) if failed.job]
    assert kept == list(reversed(range(250)))
    ids = [failed.id for failed in backend.failed_jobs(Q)]
    assert backend.retry_failed(Q, ids) == 250
    assert backend.length(Q) == 250


def test_a_mark_enqueues_once(backend: RedisStorage) -> None:
    assert isinstance(backend, BackendWithRunners)
    assert backend.enqueue_once(job(0), Q, "cron:row:1", 60)
    assert not backend.enqueue_once(job(1), Q, "cron:row:1", 60)
    assert backend.enqueue_once(job(2), Q, "cron:row:2", 0.05)
    wait_until(lambda: "cron:row:2" not in backend.idempotency_keys("cron:row:"), 5)
    assert backend.enqueue_once(job(3), Q, "cron:row:2", 60)
    with consuming(backend) as consumer:
        assert drain(consumer) == [0, 2, 3]


def test_idempotency_keys_are_read_by_how_they_begin(backend: RedisStorage) -> None:
    backend.set_idempotency_key("cron:ä[1]", "one", 60)
    backend.set_idempotency_key("cron:ä[1]", "two", 60)
    backend.set_idempotency_key("cron:ä1", "other", 60)
    backend.set_idempotency_key("short", "gone", 0.001)
    assert backend.idempotency_keys("cron:ä[1]") == {"cron:ä[1]": "two"}
    assert set(backend.idempotency_keys("cron:")) == {"cron:ä[1]", "cron:ä1"}
    wait_until(lambda: not backend.idempotency_keys("short"), 5)


def test_runners_are_seen_until_they_withdraw(backend: RedisStorage) -> None:
    first, second = make_runner(machine=1, of=2), make_runner(machine=2, of=2)
    backend.renew_heartbeat(first, ["emails/1", "emails/2"], 1)
    backend.renew_heartbeat(second, [], 0)
    states = backend.runners()
    assert [state.runner for state in states] == [first, second]
    assert states[0].workers == ("emails/1", "emails/2")
    assert states[0].busy == 1
    assert 0 <= states[0].age < 5
    backend.withdraw(first)
    assert [state.runner for state in backend.runners()] == [second]


def test_the_state_of_a_queue(backend: RedisStorage) -> None:
    assert backend.queue_state(Q).waiting == 0
    sent = [job(n) for n in range(4)]
    backend.bulk_enqueue(sent, Q)
    with consuming(backend) as consumer:
        consumer.fail(take(consumer), FAILURE)
        taken = take(consumer)
        state = backend.queue_state(Q)
        assert (state.waiting, state.failed, state.delayed) == (2, 1, 0)
        assert state.paused_until is None
        assert state.oldest is not None
        assert sent[2].created_time is not None
        assert state.oldest == sent[2].created_time.replace(tzinfo=UTC).timestamp()
        if consumer.redelivers:
            assert state.in_hand == 1
            (owner,) = state.owners
            assert (owner.number, owner.pid, owner.alive) == (1, os.getpid(), True)
        consumer.acknowledge(taken)
    assert backend.queue_state(Q).owners == ()


def test_queues_are_found_by_what_lies_in_them(backend: RedisStorage) -> None:
    odd = QueueName("ö.x:y")
    backend.enqueue(job(0), Q)
    backend.enqueue(job(1), odd)
    backend.pause(QueueName("images"), datetime.now(UTC) + timedelta(hours=1))
    assert backend.stored_queues() == sorted([Q, odd, QueueName("images")])
    with consuming(backend, queue=odd) as consumer:
        consumer.fail(take(consumer), FAILURE)
    assert odd in backend.stored_queues()


def test_the_server_is_named(backend: RedisStorage, server: Server) -> None:
    began = time.monotonic()
    state = backend.server_state()
    took = time.monotonic() - began
    assert state.name.startswith(("Valkey ", "Redis "))
    assert state.address == f"127.0.0.1:{server.port}"
    assert 0 < state.latency < took


def test_prefixes_keep_projects_apart(make: Make, server: Server) -> None:
    for storage in (REDIS, RELIABLE):
        ours = make(storage.backend_class, redis_prefix="shop[1]")
        theirs = make(storage.backend_class, redis_prefix="shop1")
        ours.enqueue(job("ours"), Q)
        assert theirs.length(Q) == 0
        assert theirs.stored_queues() == []
        theirs.set_idempotency_key("cron:x", "1", 60)
        assert ours.idempotency_keys("cron:") == {}
        with consuming(ours) as consumer:
            consumer.fail(take(consumer), FAILURE)
        assert theirs.queues_with_failed_jobs() == []
        ours.discard_failed(Q, [kept.id for kept in ours.failed_jobs(Q)])
        with server.client() as client:
            for key in client.keys("*"):
                assert key.startswith((b"shop[1]:", b"shop1:"))


# Retries


def test_a_retry_comes_back_when_it_is_due(make: Make) -> None:
    backend = make(RELIABLE.backend_class)
    backend.bulk_enqueue([job("shaky"), job("steady")], Q)
    with consuming(backend) as consumer:
        taken = take(consumer)
        assert consumer.attempts(taken) == 0
        began = time.monotonic()
        assert consumer.retry(taken, 0.3, FAILURE)
        assert backend.queue_state(Q).delayed == 1
        assert drain(consumer) == ["steady"]
        again = take_soon(consumer)
        assert 0.28 < time.monotonic() - began < 3
        assert again.raw == taken.raw
        assert consumer.attempts(again) == 1
        assert consumer.retry(again, 0, FAILURE)
        third = take_soon(consumer)
        assert consumer.attempts(third) == 2
        consumer.acknowledge(third)
        assert consumer.take(0) is None
    state = backend.queue_state(Q)
    assert (state.waiting, state.in_hand, state.delayed) == (0, 0, 0)


def test_retries_that_are_due_at_once_come_in_their_order(reliable: RedisStorage) -> None:
    """The oldest first, however many they are; and jobs that wait are not kept waiting by them."""
    due = {f"{n:016x}:".encode() + encode(job("due", n)): n + 1 for n in range(3000)}
    reliable.client.zadd(reliable.keys.delayed(Q), due)
    reliable.bulk_enqueue([job("waiting", n) for n in range(20)], Q)
    found: dict[str, list[int]] = {"due": [], "waiting": []}
    order = []
    with consuming(reliable) as consumer:
        while (taken := consumer.take(0)) is not None:
            assert taken.job is not None
            kind, number = taken.job.args
            found[kind].append(number)
            order.append(kind)
            consumer.acknowledge(taken)
    assert found == {"due": list(range(3000)), "waiting": list(range(20))}
    assert order[:200].count("waiting") == 20, "they share"


def test_at_most_once_cannot_retry(once: RedisStorage) -> None:
    once.enqueue(job(0), Q)
    with consuming(once) as consumer:
        assert not consumer.retry(take(consumer), 1, FAILURE)
