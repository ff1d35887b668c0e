"""The mirror of a worker's list, and how many jobs it takes at once."""

from __future__ import annotations

import random

import pytest

from dlq.backends.redis_storage.consumers.prefetch_buffer import PrefetchBuffer
from dlq.backends.redis_storage.consumers.prefetch_size import (
    MOST,
    TOO_OLD,
    WORK_AT_ONCE,
    PrefetchSize,
)


def test_after_a_broken_connection_the_list_tells_what_was_done() -> None:
    """Whatever was under way, done is some of the first of it. Also where jobs are equal."""
    chance = random.Random(7)
    for _ in range(2000):
        held = PrefetchBuffer()
        held.take(chance.choice((b"a", b"b")) for _ in range(chance.randint(1, 8)))
        under_way = []
        while held.prefetched and chance.random() < 0.7:
            raw = held.next_job()
            if chance.random() < 0.8:
                held.acknowledge()
                under_way.append(raw)
            else:
                break
        is_running = held.running is not None
        whole = [*under_way, *([held.running] if held.running else []), *held.prefetched]
        done = chance.randint(0, len(under_way))
        assert held.compare(whole[done:]) == under_way[done:]
        assert list(held.acknowledged) == under_way[done:]
        assert (held.running is not None) == is_running
        for _ in under_way[done:]:
            held.confirm()
        assert not held.acknowledged


def test_a_running_job_that_was_let_go_of_is_not_let_go_of_again() -> None:
    held = PrefetchBuffer()
    held.take([b"a", b"a", b"b"])
    held.next_job()
    assert held.compare([b"a", b"b"]) == []
    assert (held.running, list(held.prefetched)) == (None, [b"a", b"b"])


def test_an_acknowledgement_that_was_refused_is_sent_again() -> None:
    """While those after it were not: by a server that has just forgotten one script."""
    held = PrefetchBuffer()
    held.take([b"a", b"b", b"c"])
    for _ in range(2):
        held.next_job()
        held.acknowledge()
    assert held.next_job() == b"c"
    assert held.compare([b"a", b"c"]) == [b"a"]
    assert (held.running, list(held.prefetched)) == (b"c", [])


def test_what_a_lost_answer_brought_is_not_held_yet() -> None:
    held = PrefetchBuffer()
    held.take([b"a"])
    held.next_job()
    held.acknowledge()
    assert held.compare([b"b", b"c"]) == []
    assert (held.running, list(held.prefetched), list(held.acknowledged)) == (None, [], [])


def test_a_list_that_somebody_emptied() -> None:
    held = PrefetchBuffer()
    held.take([b"a", b"b"])
    held.next_job()
    assert held.compare([]) == []
    assert (held.running, list(held.prefetched)) == (None, [])


def test_what_could_not_be_settled_is_handed_out_again() -> None:
    held = PrefetchBuffer()
    held.take([b"a", b"b"])
    held.next_job()
    held.requeue()
    assert list(held.prefetched) == [b"a", b"b"]


def test_short_jobs_are_taken_more_and_more_at_a_time() -> None:
    pace, now, found = PrefetchSize(), 100.0, []
    for _ in range(6):
        found.append(pace.next(now))
        pace.took(found[-1], now)
        now += found[-1] * 0.0001
    assert found == [1, 4, 16, MOST, MOST, MOST]


@pytest.mark.parametrize("each", [0.0005, 0.003, 0.009, 0.02, 1.0])
def test_no_more_is_taken_than_can_be_run_in_a_moment(each: float) -> None:
    pace, now = PrefetchSize(), 0.0
    for _ in range(10):
        many = pace.next(now)
        assert many == 1 or many * each <= WORK_AT_ONCE
        pace.took(many, now)
        now += many * each


def test_after_a_long_job_one_at_a_time() -> None:
    pace = PrefetchSize()
    for now in range(5):
        pace.took(pace.next(now - 0.999), now)
    assert not pace.is_over(4 + TOO_OLD / 2)
    assert pace.is_over(4 + TOO_OLD * 1.1)
    pace.slow()
    assert pace.next(5) == 1
