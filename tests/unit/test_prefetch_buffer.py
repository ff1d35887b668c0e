"""The mirror of a worker's list, and how many jobs it takes at once."""

from __future__ import annotations

import random

import pytest

from dlq.backends.redis_storage.consumers.prefetch_buffer import PrefetchBuffer
from dlq.backends.redis_storage.consumers.prefetch_size import (
    MOST,
    MOST_BYTES,
    TOO_OLD,
    WORK_AT_ONCE,
    PrefetchSize,
)


def test_after_a_broken_connection_the_list_shows_what_was_done() -> None:
    """Whatever was under way, done is some of the first of it. Also where jobs are equal."""
    chance = random.Random(7)
    for _ in range(2000):
        buffer = PrefetchBuffer()
        buffer.take(chance.choice((b"a", b"b")) for _ in range(chance.randint(1, 8)))
        under_way = []
        while buffer.prefetched and chance.random() < 0.7:
            raw = buffer.next_job()
            if chance.random() < 0.8:
                buffer.acknowledge()
                under_way.append(raw)
            else:
                break
        is_running = buffer.running is not None
        whole = [*under_way, *([buffer.running] if buffer.running else []), *buffer.prefetched]
        done = chance.randint(0, len(under_way))
        assert buffer.compare(whole[done:]) == under_way[done:]
        assert list(buffer.acknowledged) == under_way[done:]
        assert (buffer.running is not None) == is_running
        for _ in under_way[done:]:
            buffer.confirm()
        assert not buffer.acknowledged


def test_a_running_job_that_was_released_is_not_released_again() -> None:
    buffer = PrefetchBuffer()
    buffer.take([b"a", b"a", b"b"])
    buffer.next_job()
    assert buffer.compare([b"a", b"b"]) == []
    assert (buffer.running, list(buffer.prefetched)) == (None, [b"a", b"b"])


def test_an_acknowledgement_that_was_refused_is_sent_again() -> None:
    """While those after it were not: by a server that has just forgotten one script."""
    buffer = PrefetchBuffer()
    buffer.take([b"a", b"b", b"c"])
    for _ in range(2):
        buffer.next_job()
        buffer.acknowledge()
    assert buffer.next_job() == b"c"
    assert buffer.compare([b"a", b"c"]) == [b"a"]
    assert (buffer.running, list(buffer.prefetched)) == (b"c", [])


def test_what_a_lost_answer_brought_is_not_in_hand_yet() -> None:
    buffer = PrefetchBuffer()
    buffer.take([b"a"])
    buffer.next_job()
    buffer.acknowledge()
    assert buffer.compare([b"b", b"c"]) == []
    assert (buffer.running, list(buffer.prefetched), list(buffer.acknowledged)) == (None, [], [])


def test_a_list_that_was_emptied() -> None:
    buffer = PrefetchBuffer()
    buffer.take([b"a", b"b"])
    buffer.next_job()
    assert buffer.compare([]) == []
    assert (buffer.running, list(buffer.prefetched)) == (None, [])


def test_what_could_not_be_ended_is_the_next_job_again() -> None:
    buffer = PrefetchBuffer()
    buffer.take([b"a", b"b"])
    buffer.next_job()
    buffer.requeue()
    assert list(buffer.prefetched) == [b"a", b"b"]


def test_short_jobs_are_taken_more_and_more_at_a_time() -> None:
    size, now, found = PrefetchSize(), 100.0, []
    for _ in range(6):
        found.append(size.next(now))
        size.took([b"job"] * found[-1], now)
        now += found[-1] * 0.0001
    assert found == [1, 4, 16, MOST, MOST, MOST]


@pytest.mark.parametrize("each", [0.0005, 0.003, 0.009, 0.02, 1.0])
def test_no_more_is_taken_than_can_be_run_in_a_moment(each: float) -> None:
    size, now = PrefetchSize(), 0.0
    for _ in range(10):
        many = size.next(now)
        assert many == 1 or many * each <= WORK_AT_ONCE
        size.took([b"job"] * many, now)
        now += many * each


@pytest.mark.parametrize("size_of_one", [100, 100_000, 2_000_000])
def test_no_more_is_taken_than_fits_in_memory(size_of_one: int) -> None:
    """However fast the jobs are; but one at a time whatever its size."""
    size, now, many = PrefetchSize(), 0.0, 0
    for _ in range(10):
        many = size.next(now)
        size.took([bytes(size_of_one)] * many, now)
        now += 1e-6
    assert many == max(1, min(MOST, MOST_BYTES // size_of_one))


def test_after_a_long_job_one_at_a_time() -> None:
    size = PrefetchSize()
    for now in range(5):
        size.took([b"job"] * size.next(now - 0.999), now)
    assert not size.is_over(4 + TOO_OLD / 2)
    assert size.is_over(4 + TOO_OLD * 1.1)
    size.slow()
    assert size.next(5) == 1
