"""Deduplication against a model, while jobs come and go, and at a size where steps matter."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from dlq.backends.redis_storage.deduplication import QueueTooBusy, identity
from dlq.backends.redis_storage.storage import RedisStorage
from dlq.backends.reliable_redis import ReliableRedisBackend
from dlq.job import Job, encode
from tests.backends.conftest import Make
from tests.backends.storages import TASK, Q, consuming, drain, first_argument, job, take
from tests.kit.valkey import Server

QUEUE = f"django_lightweight_queue:{Q}"


def model(raws: list[bytes]) -> list[bytes]:
    """Keep the first of equal ones."""
    seen: dict[str, bytes] = {}
    for raw in raws:
        seen.setdefault(Job.from_json(raw).identity_without_created(), raw)
    return list(seen.values())


def content(backend: RedisStorage) -> list[bytes]:
    """Return the jobs from the oldest on."""
    raws: Any = backend.client.lrange(QUEUE, 0, -1)
    return list(raws[::-1])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("length", [0, 1, 50, 2000, 2001, 6500])
def test_it_leaves_what_the_model_leaves(
    reliable: ReliableRedisBackend, seed: int, length: int
) -> None:
    chance = random.Random(seed)
    kinds = max(1, int(length * chance.choice([0.01, 0.3, 1, 5])))
    more: list[dict[str, Any]] = [{}, {"b": 1, "a": 2}]
    sent = [encode(job(chance.randrange(kinds), **chance.choice(more))) for _ in range(length)]
    if sent:
        reliable.client.lpush(QUEUE, *sent)
    expected = model(sent)
    assert reliable.deduplicate(Q) == (length, len(expected))
    assert content(reliable) == expected
    assert reliable.client.keys("dlq:*") == []


def test_equal_jobs_are_equal_however_they_were_encoded() -> None:
    plain = encode(job(1, a="x", b={"d": 1, "c": [2]}))
    time = b'"created_time": "2026-11-24 08:02:05.000042"'
    equal = [
        plain,
        b'{"path": "tests.project.orders.tasks.send", "args": [1], "kwargs": {"b": {"c": [2], "d":'
        b' 1}, "a": "x"}, "timeout": null, "sigkill_on_stop": false, ' + time + b"}",
        b'{"args":[1],"kwargs":{"a":"x","b":{"d":1,"c":[2]}},"timeout":0,"path":"%b"}'
        % TASK.encode(),
    ]
    assert len({identity(raw) for raw in equal}) == 1
    tail = b', "timeout": null, "sigkill_on_stop": false, ' + time + b"}"
    unequal = [
        plain,
        encode(job(1, a="x", b={"d": 1, "c": [3]})),
        encode(job(1)),
        encode(job("1")),
        encode(job(1, path="tests.other")),
        encode(Job(job(1).path, [1], {}, 5)),
        encode(Job(job(1).path, [1], {}, None, True)),
        # Where the arguments look like a job's own keys.
        encode(job(1, created_time="a", x=1)),
        encode(job(1, created_time="b", x=1)),
        encode(job('", "created_time": "2026-11-24 08:02:05.000042"}')),
        encode(job('", "created_time": "2026-11-24 08:02:05.000043"}')),
        b'{"path": "a", "args": [], "kwargs": {"created_time": 1, "z": 2}' + tail,
        b'{"path": "a", "args": [], "kwargs": {"created_time": 1, "z": 3}' + tail,
        b"",
        b"null",
        b"\xff",
        identity(plain),
        b"[" * 100_000,
    ]
    assert len({identity(raw) for raw in unequal}) == len(unequal)


def test_what_is_no_job_stays(reliable: ReliableRedisBackend) -> None:
    raws = [b"", b"null", b"{", encode(job(1)), b"\xff\x00", encode(job(1))]
    for raw in raws:
        reliable.client.lpush(QUEUE, raw)
    assert reliable.deduplicate(Q) == (6, 5)
    assert content(reliable) == raws[:-1]


@pytest.mark.parametrize("seed", range(2))
def test_no_job_is_lost_while_others_come_and_go(make: Make, seed: int) -> None:
    """After each job was sent an equal one runs or waits; nothing runs that was not sent, and
    nothing more often than it was sent."""
    backend = make(ReliableRedisBackend)
    chance = random.Random(seed)
    sent: list[tuple[float, bytes]] = []
    ran: list[tuple[float, bytes]] = []
    stop = threading.Event()

    def send(kinds: list[int]) -> None:
        jobs = [Job.from_json(encode(job(kind))) for kind in kinds]
        at = time.monotonic()
        sent.extend((at, encode(made)) for made in jobs)
        backend.bulk_enqueue(jobs, Q)

    def produce() -> None:
        while not stop.is_set():
            kinds = chance.choice([4, 4000])
            send([chance.randrange(kinds) for _ in range(chance.choice([1, 1, 20, 700]))])
            stop.wait(0.02)

    def consume(number: int) -> None:
        with consuming(make(ReliableRedisBackend), number) as consumer:
            while not stop.is_set():
                taken = consumer.take(0.1)
                if taken is not None:
                    ran.append((time.monotonic(), taken.raw))
                    consumer.acknowledge(taken)

    send([chance.randrange(3000) for _ in range(9000)])
    threads = [threading.Thread(target=produce)]
    threads += [threading.Thread(target=consume, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    removed = 0
    end = time.monotonic() + 3
    try:
        while time.monotonic() < end:
            with suppress(QueueTooBusy):
                before, after = backend.deduplicate(Q)
                removed += before > after
    finally:
        stop.set()
        for thread in threads:
            thread.join(20)
    assert removed, "it did nothing"
    assert ran, "nothing was taken meanwhile"
    left = content(backend)
    total = Counter(raw for _, raw in ran) + Counter(left)
    assert total - Counter(raw for _, raw in sent) == Counter(), "more often than it was sent"
    last_run = {identity(raw): at for at, raw in ran} | {identity(raw): end * 2 for raw in left}
    lost = [raw for at, raw in sent if last_run.get(identity(raw), 0) < at]
    assert lost == []


def test_a_double_that_is_pushed_after_the_older_one_ran_stays(
    reliable: ReliableRedisBackend, make: Make
) -> None:
    reliable.bulk_enqueue([job(n % 2500) for n in range(5000)], Q)
    with consuming(make(ReliableRedisBackend)) as consumer:

        def run_one_and_send_it_again(items: Any) -> Any:
            for index, item in enumerate(items):
                yield item
                if index == 0:
                    taken = take(consumer)
                    assert first_argument(taken) == 0
                    consumer.acknowledge(taken)
                    make(ReliableRedisBackend).enqueue(job(0), Q)

        reliable.deduplicate(Q, progress_logger=_progress(run_one_and_send_it_again))
        assert drain(consumer) == [*range(1, 2500), 0]


def test_a_job_that_is_given_back_meanwhile_is_no_trouble(
    reliable: ReliableRedisBackend, make: Make
) -> None:
    reliable.bulk_enqueue([job(n % 1500) for n in range(5000)], Q)
    with consuming(make(ReliableRedisBackend)) as consumer:

        class Meddling:
            """Between any two steps of it a job is taken and given back."""

            def __init__(self, client: Any) -> None:
                self._client = client
                self._left = 3

            def __getattr__(self, name: str) -> Any:
                if name in ("lrange", "evalsha") and self._left:
                    self._left -= 1
                    consumer.acknowledge(take(consumer))
                    consumer.give_back(take(consumer))
                return getattr(self._client, name)

        reliable._client = Meddling(reliable.client)  # type: ignore[assignment]  # a client with a hand in it
        assert reliable.deduplicate(Q)[0] == 5000
        # Three have run. Of those that were there when the last reading began the younger ones
        # went, too.
        found = drain(consumer)
        assert len(found) == len(set(found))
        assert set(range(3, 1500)) <= set(found)


def test_equal_bytes_at_both_ends_do_not_pass_for_the_list_that_was_read(
    reliable: ReliableRedisBackend, server: Server
) -> None:
    """Three are taken and three are pushed just before the swap; length, head and tail look as
    before."""
    x, c, d, y, p, q = (encode(job(name)) for name in "xcdypq")
    reliable.client.lpush(QUEUE, x, c, d, x, y)

    class Meddling:
        def __init__(self, client: Any) -> None:
            self._client = client
            self.has_meddled = False

        def __getattr__(self, name: str) -> Any:
            if name == "evalsha" and not self.has_meddled:
                self.has_meddled = True
                with server.client() as client:
                    assert client.rpop(QUEUE, 3) == [x, c, d]
                    client.lpush(QUEUE, p, q, y)
            return getattr(self._client, name)

    meddling = Meddling(reliable.client)
    reliable._client = meddling  # type: ignore[assignment]  # a client with a hand in it
    reliable.deduplicate(Q)
    assert meddling.has_meddled
    # The younger x went, since the older one was taken after the beginning; what is new stays.
    assert content(reliable) == [y, p, q, y]


def test_a_queue_that_is_emptied_meanwhile(reliable: ReliableRedisBackend, make: Make) -> None:
    other = make(ReliableRedisBackend)
    reliable.bulk_enqueue([job(n % 1500) for n in range(5000)], Q)

    def clear(items: Any) -> Any:
        for item in items:
            other.clear(Q)
            yield item

    assert reliable.deduplicate(Q, progress_logger=_progress(clear)) == (5000, 0)
    assert reliable.length(Q) == 0


def test_steps_are_short_at_100_000_jobs(make: Make, server: Server) -> None:
    """No command of ours holds the server for 10 ms; 4.11 takes a search of the list per double."""
    backend = make(ReliableRedisBackend)
    pairs = [encode(job(n // 2)) for n in range(100_000)]
    with server.client() as client:
        for start in range(0, len(pairs), 1000):
            client.lpush(QUEUE, *pairs[start : start + 1000])
        slow = _slow(client, lambda: backend.deduplicate(Q))
        assert backend.length(Q) == 50_000
        assert slow == []
        slow = _slow(client, lambda: backend.queue_state(Q))
        slow += _slow(client, lambda: backend.clear(Q))
        assert slow == []
        with consuming(backend) as consumer:
            assert consumer.take(0) is None


def _slow(client: Any, call: Callable[[], Any]) -> list[Any]:
    """Commands that took the server 10 ms or more."""
    client.config_set("slowlog-log-slower-than", 10_000)
    client.slowlog_reset()
    call()
    found = [(entry["duration"], entry["command"][:60]) for entry in client.slowlog_get(10)]
    client.config_set("slowlog-log-slower-than", -1)
    return found


def _progress(progress: Any) -> Any:
    from dlq.backends.base import ProgressLogger

    return ProgressLogger(lambda message: None, progress)
