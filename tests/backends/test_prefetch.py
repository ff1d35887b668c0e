"""Jobs that a worker prefetches: in order, given back in order, and never kept from another."""

from __future__ import annotations

import os
import threading
import time
import warnings
from datetime import UTC, datetime, timedelta

import pytest

from dlq.backends.base import Consumer, PreviousProcess
from dlq.backends.redis_storage.consumers.prefetch_size import MOST_BYTES
from dlq.backends.redis_storage.storage import RedisStorage
from dlq.backends.reliable_redis import ReliableRedisBackend
from dlq.errors import BackendUnavailable
from tests.backends.conftest import Make
from tests.backends.storages import (
    FAILURE,
    Q,
    again,
    consumer_of,
    consuming,
    drain,
    first_argument,
    job,
    make_runner,
    take,
    take_soon,
)
from tests.kit.proxy import Proxy
from tests.kit.valkey import Server
from tests.kit.waiting import wait_until

IN_HAND = "django_lightweight_queue:emails:processing:1"


def run_short_ones(consumer: Consumer, count: int = 30) -> list[int]:
    """Until the worker takes many at a time."""
    found = []
    for _ in range(count):
        taken = take(consumer)
        found.append(first_argument(taken))
        consumer.acknowledge(taken)
    return found


@pytest.fixture
def busy(reliable: ReliableRedisBackend) -> ReliableRedisBackend:
    reliable.bulk_enqueue([job(n) for n in range(200)], Q)
    return reliable


def in_hand(backend: RedisStorage) -> int:
    return backend.client.llen(IN_HAND)


def test_short_jobs_are_prefetched_and_come_in_order(busy: ReliableRedisBackend) -> None:
    with consuming(busy) as consumer:
        found = run_short_ones(consumer)
        found.append(first_argument(take(consumer)))
        state = busy.queue_state(Q)
        assert in_hand(busy) > 5
        assert state.in_hand == 1, "what was taken ahead waits"
        assert (state.waiting, found) == (169, list(range(31)))


def test_an_acknowledgement_leaves_when_its_job_ends(busy: ReliableRedisBackend) -> None:
    """Not when those that were taken with it end."""
    with consuming(busy) as consumer:
        run_short_ones(consumer)
        taken = take(consumer)
        before = in_hand(busy)
        assert before > 5
        consumer.acknowledge(taken)
        wait_until(lambda: in_hand(busy) == before - 1, 0.04, what="it is gone from the list")


def test_no_job_waits_behind_a_long_one(busy: ReliableRedisBackend) -> None:
    """While another worker is idle: that one has them all before 0.1 s have passed."""
    with consuming(busy) as consumer, consuming(busy, 2, runner=make_runner()) as other:
        run_short_ones(consumer)
        long_one = take(consumer)
        began = time.monotonic()
        assert in_hand(busy) > 5
        found: list[int] = []
        while len(found) < 169:
            taken = take_soon(other)
            found.append(first_argument(taken))
            other.acknowledge(taken)
            assert time.monotonic() - began < 5
        assert sorted(found) == list(range(31, 200))
        assert in_hand(busy) == 1
        consumer.acknowledge(long_one)
        wait_until(lambda: in_hand(busy) == 0, 1)


def test_they_are_given_back_within_a_tenth_of_a_second(busy: ReliableRedisBackend) -> None:
    """The median of five, since a busy machine may hold any one of them up."""
    delays = []
    with consuming(busy) as consumer:
        for number in range(5):
            run_short_ones(consumer)
            took = time.monotonic()
            taken = take(consumer)
            assert in_hand(busy) > 5
            wait_until(lambda: in_hand(busy) == 1, 5)
            delays.append(time.monotonic() - took)
            assert first_argument(taken) == 31 * number + 30
            consumer.acknowledge(taken)
    assert sorted(delays)[2] < 0.1


@pytest.mark.parametrize("how", ["give_back", "close", "fail", "retry"])
def test_what_was_not_begun_comes_back_in_order(busy: ReliableRedisBackend, how: str) -> None:
    with consuming(busy) as consumer:
        run_short_ones(consumer)
        taken = take(consumer)
        assert in_hand(busy) > 5
        if how == "give_back":
            consumer.give_back(taken)
            assert in_hand(busy) == 0
        elif how == "fail":
            consumer.fail(taken, FAILURE)
        elif how == "retry":
            consumer.retry(taken, 60, FAILURE)
        else:
            consumer.acknowledge(taken)
    assert in_hand(busy) == 0
    first = 30 if how == "give_back" else 31
    with consuming(busy) as consumer:
        assert drain(consumer) == list(range(first, 200))


def test_what_a_dead_worker_had_not_begun_comes_back_in_order(busy: ReliableRedisBackend) -> None:
    consumer = consumer_of(busy, runner=make_runner(nonce="0" * 16))
    run_short_ones(consumer)
    raw = take(consumer).raw
    assert in_hand(busy) > 5
    # Its process is gone without a word, as after kill -9.
    busy.client.delete("dlq:owner:emails")
    consumer.close()
    previous = PreviousProcess("started", "killed by SIGKILL", 0.1, raw)
    with consuming(busy, previous=previous) as successor:
        taken = take(successor)
        assert (first_argument(taken), taken.redelivered, taken.crashes) == (30, True, 1)
        assert in_hand(busy) == 1, "the others don't wait for one that kills its worker"
        successor.acknowledge(taken)
        taken = take(successor)
        assert (first_argument(taken), taken.redelivered, taken.crashes) == (31, False, 0)
        successor.acknowledge(taken)
        assert drain(successor) == list(range(32, 200))
    assert busy.client.exists("dlq:crashes:emails") == 0


def test_no_job_that_was_prefetched_starts_after_a_pause(busy: ReliableRedisBackend) -> None:
    with consuming(busy) as consumer:
        run_short_ones(consumer)
        taken = take(consumer)
        busy.pause(Q, datetime.now(UTC) + timedelta(minutes=1))
        consumer.acknowledge(taken)
        assert consumer.take(0) is None
        busy.resume(Q)
        assert drain(consumer) == list(range(31, 200))


def test_none_is_left_by_clear(busy: ReliableRedisBackend) -> None:
    with consuming(busy) as consumer:
        run_short_ones(consumer)
        taken = take(consumer)
        assert in_hand(busy) > 5
        assert busy.clear(Q) == 169
        consumer.acknowledge(taken)
        assert consumer.take(0) is None


def test_a_job_that_forks_finds_one_thread(busy: ReliableRedisBackend) -> None:
    """Python warns of a fork with more, because a child may hang then."""
    with consuming(busy) as consumer:
        run_short_ones(consumer)
        take(consumer)
        assert [thread.name for thread in threading.enumerate()].count("dlq prefetch watchdog") == 1
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            pid = os.fork()
        if pid == 0:
            os._exit(threading.active_count())
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1
        wait_until(lambda: in_hand(busy) == 1, 1, what="it is looked after again")


def test_an_idle_worker_has_one_thread(reliable: ReliableRedisBackend) -> None:
    before = threading.active_count()
    reliable.enqueue(job(0), Q)
    with consuming(reliable) as consumer:
        assert drain(consumer) == [0]
        assert threading.active_count() == before


def test_connections_that_break_at_any_moment_lose_and_double_nothing(
    make: Make, proxy: Proxy, server: Server
) -> None:
    backend = make(ReliableRedisBackend, redis_port=proxy.port)
    backend.bulk_enqueue([job(n) for n in range(2000)], Q)
    ended = threading.Event()

    def break_connections() -> None:
        while not ended.wait(0.02):
            proxy.reset()

    breaker = threading.Thread(target=break_connections)
    breaker.start()
    found: list[int] = []
    resets = 0
    with consuming(backend) as consumer:
        while True:
            try:
                taken = consumer.take(0)
            except BackendUnavailable:
                resets += 1
                continue
            if taken is None:
                break
            found.append(first_argument(taken))
            again(lambda taken=taken: consumer.acknowledge(taken))
        ended.set()
        breaker.join()
    assert resets > 3
    assert found == list(range(2000))
    with server.client() as client:
        assert client.exists(IN_HAND, "django_lightweight_queue:emails") == 0


@pytest.mark.parametrize("size", [40_000, 700_000, 3_000_000])
def test_large_jobs_are_not_prefetched_beyond_a_mebibyte(
    reliable: ReliableRedisBackend, size: int
) -> None:
    """Also when the jobs before them were small, and many of them were taken at once."""
    small = [job(n) for n in range(100)]
    large = [job(n, "x" * size) for n in range(100, 100 + 40_000_000 // size // 4)]
    reliable.bulk_enqueue(small, Q)
    for each in large:
        reliable.enqueue(each, Q)
    found, most = [], 0
    with consuming(reliable) as consumer:
        while (taken := consumer.take(0)) is not None:
            lengths = [len(raw) for raw in reliable.client.lrange(IN_HAND, 0, -1)]
            assert sum(lengths) <= MOST_BYTES or len(lengths) == 1
            most = max(most, len(lengths))
            found.append(first_argument(taken))
            consumer.acknowledge(taken)
    assert found == list(range(100 + len(large)))
    assert most > 10, "small ones were taken many at a time"
