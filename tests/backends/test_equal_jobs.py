"""Jobs that are equal byte for byte, as foreign producers make them that set no `created_time`.

What happened to one of them cannot be seen by its bytes."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from dlq.backends.redis import RedisBackend
from dlq.backends.redis_storage.lua.scripts import ACKNOWLEDGE
from dlq.backends.reliable_redis import ReliableRedisBackend
from dlq.job import encode
from tests.backends.conftest import Make
from tests.backends.storages import Q, again, consumer_of, consuming, job
from tests.kit.proxy import Proxy
from tests.kit.valkey import Server
from tests.kit.waiting import wait_until

QUEUE = f"django_lightweight_queue:{Q}"
IN_HAND = f"{QUEUE}:processing:1"
JOBS = 200


@pytest.mark.parametrize("every", [1, 3])
@pytest.mark.parametrize("kinds", [1, 2])
def test_equal_jobs_and_lost_answers(
    make: Make, server: Server, proxy: Proxy, every: int, kinds: int
) -> None:
    """Whatever answer is lost, each of them runs once: none is taken for one that has ended."""
    raws = [encode(job(kind)) for kind in range(kinds)]
    with server.client() as client:
        client.lpush(QUEUE, *(raws[n % kinds] for n in range(JOBS)))
        backend = make(ReliableRedisBackend, server, redis_port=proxy.port)
        with consuming(backend) as consumer:
            ends = 0
            while (taken := again(lambda: consumer.take(0))) is not None:
                if ends % every == 0:
                    proxy.lose_reply(b"EVALSHA")
                again(lambda taken=taken: consumer.acknowledge(taken))
                ends += 1
            proxy.lose_reply(b"EVALSHA", 0)
        assert (ends, client.llen(QUEUE), client.exists(IN_HAND)) == (JOBS, 0, 0)
    assert proxy.lost_replies > JOBS / every / 40


@pytest.mark.parametrize("kinds", [1, 3])
def test_equal_jobs_and_broken_connections(
    make: Make, server: Server, proxy: Proxy, kinds: int
) -> None:
    """Broken at any moment, by another thread."""
    raws = [encode(job(kind)) for kind in range(kinds)]
    stopped = threading.Event()

    def break_connections() -> None:
        while not stopped.wait(0.003):
            proxy.reset()

    with server.client() as client:
        client.lpush(QUEUE, *(raws[n % kinds] for n in range(JOBS * 5)))
        backend = make(ReliableRedisBackend, server, redis_port=proxy.port)
        thread = threading.Thread(target=break_connections)
        with consuming(backend) as consumer:
            thread.start()
            try:
                ends = 0
                while (taken := again(lambda: consumer.take(0))) is not None:
                    again(lambda taken=taken: consumer.acknowledge(taken))
                    ends += 1
            finally:
                stopped.set()
                thread.join()
        assert client.llen(QUEUE) == client.exists(IN_HAND) == 0
    assert proxy.accepted > 20, "connections were broken"
    assert ends == JOBS * 5


def test_what_a_lost_connection_still_has_under_way_does_nothing(
    make: Make, server: Server, proxy: Proxy
) -> None:
    """An acknowledgement that comes late, when its worker has another connection, must not remove
    an equal job that was taken since."""
    raw = encode(job(0))
    with server.client() as client:
        client.lpush(QUEUE, *[raw] * 3)
        backend = make(ReliableRedisBackend, server, redis_port=proxy.port)
        with consuming(backend) as consumer:
            taken = again(lambda: consumer.take(0))
            old_owner = client.hget(f"dlq:owner:{Q}", "1") or b""
            proxy.reset()
            again(lambda: consumer.acknowledge(taken))
            assert again(lambda: consumer.take(0)) is not None
            assert client.hget(f"dlq:owner:{Q}", "1") not in (None, old_owner)
            keys = (IN_HAND, f"dlq:owner:{Q}")
            assert client.eval(ACKNOWLEDGE.text, 2, *keys, "1", old_owner, raw) == -1
            assert client.llen(IN_HAND) + client.llen(QUEUE) == 2


@pytest.mark.parametrize("ends_before", [True, False])
def test_equal_jobs_and_a_pause(
    make: Make, server: Server, proxy: Proxy, ends_before: bool
) -> None:
    """At most once: a job that arrives during a pause is put back once, also where the answer to
    that is lost and equal jobs wait."""
    raw = encode(job(0))
    backend = make(RedisBackend, server, redis_port=proxy.port)
    direct = make(RedisBackend)
    with server.client() as client:
        consumer = consumer_of(backend)
        try:
            thread = threading.Thread(target=lambda: again(lambda: consumer.take(3)))
            proxy.lose_reply(b"put-back")
            thread.start()
            wait_until(lambda: client.info("clients")["blocked_clients"], 5)
            direct.pause(Q, datetime.now(UTC) + timedelta(seconds=1 if ends_before else 60))
            client.lpush(QUEUE, raw, raw)
            wait_until(lambda: proxy.lost_replies, 10)
            thread.join(15)
            assert client.llen(QUEUE) == 2
        finally:
            consumer.close()
    direct.resume(Q)
