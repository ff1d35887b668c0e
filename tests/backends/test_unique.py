"""Unique jobs: one of equal jobs waits, until it starts or its lock has lasted long enough."""

from __future__ import annotations

import multiprocessing

import pytest

from dlq.backends.redis_storage.storage import RedisStorage
from dlq.backends.reliable_redis import ReliableRedisBackend
from dlq.config.settings import Settings
from dlq.job import encode
from dlq.jobs.placement import Placement, lock_name
from tests.backends.conftest import Make
from tests.backends.storages import REDIS, RELIABLE, Q, consuming, drain, job, settings_for, take
from tests.kit.valkey import Server
from tests.kit.waiting import wait_until

UNIQUE = Placement(unique=600)


@pytest.fixture(params=[REDIS, RELIABLE], ids=lambda storage: storage.backend_class.__name__)
def backend(request: pytest.FixtureRequest, make: Make) -> RedisStorage:
    found: RedisStorage = make(request.param.backend_class)
    return found


def locks(backend: RedisStorage) -> int:
    return int(backend.client.hlen(backend.keys.locks(Q)))


def test_an_equal_job_is_stored_once_until_it_starts(backend: RedisStorage) -> None:
    assert backend.store([job(1)], Q, UNIQUE, ["a"]) == 1
    assert backend.store([job(1)], Q, UNIQUE, ["a"]) == 0
    assert backend.store([job(2)], Q, UNIQUE, ["b"]) == 1
    assert backend.length(Q) == 2
    with consuming(backend) as consumer:
        taken = take(consumer)
        backend.unlock(Q, taken.raw)
        wait_until(lambda: backend.store([job(1)], Q, UNIQUE, ["a"]), what="the lock is released")
        consumer.acknowledge(taken)
        assert drain(consumer) == [2, 1]


def test_a_lock_ends_with_its_time_and_its_successor_keeps_its_own(backend: RedisStorage) -> None:
    brief = Placement(unique=0.05)
    first = job(1)
    assert backend.store([first], Q, brief, ["a"]) == 1
    wait_until(lambda: backend.store([job(1, x=2)], Q, UNIQUE, ["a"]), what="the lock has expired")
    backend.unlock(Q, encode(first))
    backend.unlock(Q, encode(first))
    assert wait_until(lambda: locks(backend) == 2, what="the first job's field is gone")
    assert backend.store([job(1)], Q, UNIQUE, ["a"]) == 0


def test_the_hash_expires_with_its_last_lock(backend: RedisStorage) -> None:
    backend.store([job(1)], Q, Placement(unique=600), ["a"])
    backend.store([job(2)], Q, Placement(unique=5), ["b"])
    assert 590_000 < backend.client.pttl(backend.keys.locks(Q)) <= 600_000


def test_a_delayed_job_holds_its_lock(backend: RedisStorage) -> None:
    later = Placement(delay=60, unique=600)
    assert backend.store([job(1)], Q, later, ["a"]) == 1
    assert backend.store([job(1)], Q, UNIQUE, ["a"]) == 0
    (delayed,) = backend.delayed_jobs(Q)
    backend.discard_delayed(Q, [delayed])
    assert locks(backend) == 0
    assert backend.store([job(1)], Q, UNIQUE, ["a"]) == 1


def test_clearing_releases_the_locks_of_what_is_cleared(backend: RedisStorage) -> None:
    backend.store([job(1)], Q, UNIQUE, ["waits"])
    backend.store([job(2)], Q, Placement(delay=60, unique=600), ["later"])
    backend.clear(Q)
    assert backend.store([job(1)], Q, UNIQUE, ["waits"]) == 1
    assert backend.store([job(2)], Q, UNIQUE, ["later"]) == 0
    backend.clear_delayed(Q)
    assert backend.store([job(1)], Q, UNIQUE, ["waits"]) == 0
    assert backend.store([job(2)], Q, UNIQUE, ["later"]) == 1


def test_a_bulk_counts_what_was_stored(backend: RedisStorage) -> None:
    jobs = [job(n % 700) for n in range(2100)]
    names = [lock_name(each.path, each.args, each.kwargs, None) for each in jobs]
    assert backend.store(jobs, Q, UNIQUE, names) == 700
    assert backend.length(Q) == 700


def test_names_follow_the_arguments_or_the_key() -> None:
    plain = lock_name("a.b", (1,), {"x": 1, "y": 2}, None)
    assert plain == lock_name("a.b", [1], {"y": 2, "x": 1}, None)
    assert plain != lock_name("a.c", (1,), {"x": 1, "y": 2}, None)
    assert lock_name("a.b", (1,), {}, "k") == lock_name("a.b", (2,), {}, "k")


def enqueue_many(settings: Settings, keys: int, count: int, stored: object) -> None:
    backend = ReliableRedisBackend(settings)
    done = sum(backend.store([job(n % keys)], Q, UNIQUE, [str(n % keys)]) for n in range(count))
    with stored.get_lock():  # type: ignore[attr-defined]
        stored.value += done  # type: ignore[attr-defined]


def concurrent_doubles(settings: Settings, processes: int, total: int) -> tuple[int, int]:
    """How many were stored of `total` concurrent enqueues of `total / 10` different jobs."""
    context = multiprocessing.get_context("fork")
    stored = context.Value("i", 0)
    keys = total // 10
    workers = [
        context.Process(target=enqueue_many, args=(settings, keys, total // processes, stored))
        for _ in range(processes)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    return stored.value, keys


def test_no_doubles_from_concurrent_processes(make: Make, server: Server) -> None:
    backend = make(ReliableRedisBackend)
    stored, keys = concurrent_doubles(settings_for(server), 4, 4000)
    assert stored == backend.length(Q) == keys
