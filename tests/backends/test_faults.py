"""What the network and the server do to a worker and to a producer. Each test proves its fault."""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import redis

from dlq.backends.redis_storage.storage import RedisStorage
from dlq.backends.reliable_redis import ReliableRedisBackend
from dlq.errors import BackendUnavailable, EnqueueError, NotOwner
from dlq.job import encode
from tests.backends.conftest import Make
from tests.backends.storages import (
    FAILURE,
    REDIS,
    RELIABLE,
    Q,
    again,
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

QUEUE = f"django_lightweight_queue:{Q}"
IN_HAND = f"{QUEUE}:processing:1"


@pytest.fixture
def own_server() -> Iterator[Server]:
    """A server for a test that stops its server, fills it or makes it another's replica."""
    server = Server(appendonly="yes", appendfsync="always").start()
    yield server
    server.remove()


@pytest.fixture(params=[REDIS, RELIABLE], ids=lambda s: s.backend_class.__name__)
def backend(request: pytest.FixtureRequest, make: Make, proxy: Proxy) -> RedisStorage:
    """A backend behind the proxy."""
    found: RedisStorage = make(request.param.backend_class, redis_port=proxy.port)
    return found


# Answers that do not come


def test_the_reply_to_an_enqueue_is_lost(backend: RedisStorage, proxy: Proxy) -> None:
    proxy.lose_reply(b"LPUSH")
    with pytest.raises(EnqueueError) as raised:
        backend.enqueue(job(0), Q)
    assert proxy.lost_replies == 1
    assert raised.value.may_be_stored
    assert "may be on the queue" in str(raised.value)
    assert backend.length(Q) == 1


def test_the_reply_to_a_cron_enqueue_is_lost(backend: RedisStorage, proxy: Proxy) -> None:
    assert backend.enqueue_once(job("first"), Q, "cron:r:0", 60)
    proxy.lose_reply(b"EVALSHA")
    with pytest.raises(EnqueueError) as raised:
        backend.enqueue_once(job(0), Q, "cron:r:1", 60)
    assert proxy.lost_replies == 1
    assert raised.value.may_be_stored
    assert not backend.enqueue_once(job(0), Q, "cron:r:1", 60)
    assert backend.length(Q) == 2


def test_no_connection_stores_nothing(make: Make, proxy: Proxy) -> None:
    proxy.close()
    backend = make(ReliableRedisBackend, redis_port=proxy.port)
    with pytest.raises(EnqueueError) as raised:
        backend.enqueue(job(0), Q)
    assert not raised.value.may_be_stored
    assert f"127.0.0.1:{proxy.port}" in str(raised.value)


def test_a_connection_that_was_reset_while_idle_is_nobodys_trouble(
    backend: RedisStorage, proxy: Proxy
) -> None:
    backend.enqueue(job(0), Q)
    assert proxy.reset() >= 1
    backend.enqueue(job(1), Q)
    assert backend.length(Q) == 2


def test_the_reply_to_a_take_is_lost(make: Make, proxy: Proxy, server: Server) -> None:
    backend = make(ReliableRedisBackend, redis_port=proxy.port)
    backend.bulk_enqueue([job(n) for n in range(3)], Q)
    with consuming(backend) as consumer:
        consumer.acknowledge(take(consumer))
        again(lambda: consumer.give_back(take(consumer)))
        proxy.lose_reply(b"EVALSHA")
        with pytest.raises(BackendUnavailable):
            consumer.take(0)
        assert proxy.lost_replies == 1
        with server.client() as client:
            assert client.llen(IN_HAND) == 2
        taken = take(consumer)
        assert (first_argument(taken), taken.redelivered, taken.crashes) == (1, False, 0)
        consumer.acknowledge(taken)
        assert drain(consumer) == [2]


def test_the_reply_to_an_acknowledgement_is_lost(make: Make, proxy: Proxy, server: Server) -> None:
    """It may be one of several under way, and the last one is sent with the question for the next
    jobs: nothing of it may happen twice."""
    backend = make(ReliableRedisBackend, redis_port=proxy.port)
    backend.bulk_enqueue([job(n) for n in range(1000)], Q)
    found = []
    chance = random.Random(4)
    with consuming(backend) as consumer:
        while (taken := again(lambda: consumer.take(0))) is not None:
            found.append(first_argument(taken))
            if chance.random() < 0.2:
                proxy.lose_reply(b"EVALSHA")
            again(lambda taken=taken: consumer.acknowledge(taken))
    assert proxy.lost_replies > 20
    assert found == list(range(1000))
    with server.client() as client:
        assert client.exists(QUEUE, IN_HAND) == 0


def test_the_reply_to_a_failure_is_lost(make: Make, proxy: Proxy) -> None:
    backend = make(ReliableRedisBackend, redis_port=proxy.port)
    backend.bulk_enqueue([job(0), job(1)], Q)
    with consuming(backend) as consumer:
        consumer.fail(take(consumer), FAILURE)
        taken = take(consumer)
        proxy.lose_reply(b"EVALSHA")
        with pytest.raises(BackendUnavailable):
            consumer.fail(taken, FAILURE)
        assert proxy.lost_replies == 1
        consumer.fail(taken, FAILURE)
    assert backend.failed_count(Q) == 2


def test_close_confirms_what_was_acknowledged_although_the_reply_is_lost(
    make: Make, proxy: Proxy, server: Server
) -> None:
    backend = make(ReliableRedisBackend, redis_port=proxy.port)
    backend.bulk_enqueue([job(n) for n in range(3)], Q)
    with consuming(backend) as consumer:
        taken = take(consumer)
        proxy.lose_reply(b"EVALSHA")
        consumer.acknowledge(taken)
        wait_until(lambda: proxy.lost_replies == 1, 5)
    with server.client() as client:
        assert client.llen(IN_HAND) == 0
        assert client.llen(QUEUE) == 2
        assert not client.exists("dlq:owner:emails")


def test_a_half_open_connection_is_noticed(make: Make, proxy: Proxy) -> None:
    """Within the time that the worker blocks and five seconds more."""
    for storage in (REDIS, RELIABLE):
        backend = make(storage.backend_class, redis_port=proxy.port)
        with consuming(backend) as consumer:
            assert consumer.take(0) is None
            timer = threading.Timer(0.3, proxy.blackhole)
            timer.start()
            began = time.monotonic()
            with pytest.raises(BackendUnavailable, match="does not answer"):
                consumer.take(1)
            assert time.monotonic() - began < 1 + 5 + 2
            timer.join()
            proxy.heal()
            make(storage.backend_class).enqueue(job("after"), Q)
            taken = again(lambda consumer=consumer: take_soon(consumer))
            assert first_argument(taken) == "after"
            consumer.acknowledge(taken)


def test_a_silent_server_keeps_no_worker_from_exiting(make: Make, proxy: Proxy) -> None:
    backend = make(ReliableRedisBackend, redis_port=proxy.port)
    backend.bulk_enqueue([job(0), job(1)], Q)
    with consuming(backend) as consumer:
        taken = take(consumer)
        proxy.blackhole()
        consumer.acknowledge(taken)
        began = time.monotonic()
        consumer.close()
        assert time.monotonic() - began < 8
        assert proxy.swallowed
        proxy.heal()


def test_a_slow_network_is_no_error(backend: RedisStorage, proxy: Proxy) -> None:
    """Slower than jobs are taken to be fresh: they are asked about again, and run in the end."""
    proxy.delay(0.12)
    backend.bulk_enqueue([job(0), job(1)], Q)
    with consuming(backend) as consumer:
        assert drain(consumer) == [0, 1]


# What operators and the server do to connections and scripts


def test_client_kill_while_a_worker_blocks(make: Make, server: Server) -> None:
    for storage in (REDIS, RELIABLE):
        backend = make(storage.backend_class)
        with consuming(backend) as consumer, server.client() as client:
            assert consumer.take(0) is None

            def kill(client: redis.Redis = client) -> None:
                blocked = wait_until(
                    lambda: [c for c in client.client_list() if c["cmd"] in ("brpop", "blmove")]
                )
                for found in blocked:
                    client.client_kill_filter(_id=found["id"])

            killer = threading.Thread(target=kill)
            killer.start()
            with pytest.raises(BackendUnavailable):
                consumer.take(10)
            killer.join()
            backend.enqueue(job("after"), Q)
            taken = again(lambda consumer=consumer: take_soon(consumer))
            assert first_argument(taken) == "after"
            consumer.acknowledge(taken)


def test_script_flush_between_any_two_steps(make: Make, server: Server) -> None:
    with server.client() as client:
        for storage in (REDIS, RELIABLE):
            backend = make(storage.backend_class)
            backend.bulk_enqueue([job(n) for n in range(4)], Q)
            with consuming(backend) as consumer:
                client.script_flush()
                taken = take(consumer)
                client.script_flush()
                consumer.acknowledge(taken)
                client.script_flush()
                taken = take(consumer)
                client.script_flush()
                consumer.fail(taken, FAILURE)
                client.script_flush()
                consumer.give_back(take(consumer))
                client.script_flush()
                assert backend.enqueue_once(job(9), Q, f"cron:{storage}", 60)
                assert drain(consumer) == [2, 3, 9]
            client.script_flush()
            assert backend.retry_failed(Q, [f.id for f in backend.failed_jobs(Q)]) == 1
            backend.clear(Q)


def test_script_flush_while_workers_exit(make: Make, server: Server) -> None:
    """What was acknowledged is confirmed before a worker has exited: nothing runs again."""
    backend = make(ReliableRedisBackend)
    backend.bulk_enqueue([job(n) for n in range(600)], Q)
    stopped = threading.Event()
    flushed = 0

    def flush() -> None:
        nonlocal flushed
        with server.client() as client:
            while not stopped.is_set():
                client.script_flush()
                flushed += 1

    thread = threading.Thread(target=flush)
    thread.start()
    found: list[Any] = []
    try:
        while len(found) < 600:
            with consuming(backend) as consumer:
                for _ in range(5):
                    if (taken := again(lambda: consumer.take(0))) is not None:
                        found.append(first_argument(taken))
                        again(lambda taken=taken: consumer.acknowledge(taken))
    finally:
        stopped.set()
        thread.join()
    assert found == list(range(600))
    assert flushed > 100
    with server.client() as client:
        assert client.keys("django_lightweight_queue:*") == []


@pytest.mark.parametrize("storage", [REDIS, RELIABLE])
@pytest.mark.parametrize("how", ["renamed", "not allowed"])
def test_a_server_without_client_commands(storage: Any, how: str, make: Make) -> None:
    """Some managed servers are so: a connection has no name then, and a worker that waits is woken
    by nothing, but waits for a second at a time."""
    options = {"rename-command": ("CLIENT", "")} if how == "renamed" else {}
    server = Server(**options).start()
    try:
        if how == "not allowed":
            with server.client() as client:
                client.acl_setuser("default", enabled=True, nopass=True, commands=["-client"])
        backend = make(storage.backend_class, server)
        backend.startup(Q)
        backend.enqueue(job(1), Q)
        backend.renew_heartbeat(make_runner(), [], 0)
        assert backend.queue_state(Q).waiting == 1
        assert backend.reclaim([Q], make_runner()) == []
        with consuming(backend) as consumer:
            assert drain(consumer) == [1]
            waker = threading.Timer(0.3, consumer.wake)
            waker.start()
            began = time.monotonic()
            assert consumer.take(10) is None
            assert time.monotonic() - began < 3
            waker.join()
            pusher = threading.Timer(0.3, lambda: backend.enqueue(job(2), Q))
            pusher.start()
            assert first_argument(take_soon(consumer)) == 2
            pusher.join()
    finally:
        server.remove()


def test_a_busy_server_is_waited_for(make: Make, server: Server) -> None:
    """Somebody's script that runs for too long."""
    backend = make(ReliableRedisBackend)
    backend.enqueue(job(0), Q)
    with consuming(backend) as consumer, server.client() as client:
        consumer.give_back(take(consumer))
        client.config_set("busy-reply-threshold", 50)
        spinner = threading.Thread(target=_spin, args=(server,))
        spinner.start()
        problem = wait_until(lambda: _refusal(lambda: client.ping()), 10)
        assert problem.startswith("BUSY"), problem
        with pytest.raises(BackendUnavailable, match="busy with a script"):
            consumer.take(0)
        with pytest.raises(EnqueueError, match="busy with a script") as raised:
            backend.enqueue(job(1), Q)
        assert not raised.value.may_be_stored
        client.script_kill()
        spinner.join()
        assert drain(consumer) == [0]


def test_a_server_that_loads_its_data_is_waited_for(make: Make) -> None:
    server = Server().start()
    backend = make(ReliableRedisBackend, server)
    with server.client() as client, consuming(backend) as consumer:
        assert consumer.take(0) is None
        for index in range(2000):
            client.set(f"filler:{index}", "x" * 100)
        backend.enqueue(job("kept"), Q)
        client.save()
        server.kill()
        # Microseconds for each key, and how often it looks for clients meanwhile.
        server.options |= {
            "key-load-delay": "1000",
            "loading-process-events-interval-bytes": "1024",
        }
        starter = threading.Thread(target=server.start)
        starter.start()
        said: set[str] = set()

        def is_loading() -> bool:
            try:
                consumer.take(0)
            except BackendUnavailable as error:
                said.add(str(error))
            return any("is loading its data" in text for text in said)

        wait_until(is_loading, 20, what=f"it says that it loads: {said}")
        with pytest.raises(EnqueueError, match="is loading its data") as raised:
            backend.enqueue(job(1), Q)
        assert not raised.value.may_be_stored
        starter.join(30)
        taken = again(lambda: take_soon(consumer))
        assert first_argument(taken) == "kept"
        consumer.acknowledge(taken)
    server.remove()


def test_flushall_ends_ownership_and_nothing_else(make: Make, server: Server) -> None:
    backend = make(ReliableRedisBackend)
    backend.enqueue(job(0), Q)
    with consuming(backend) as consumer, server.client() as client:
        taken = take(consumer)
        client.flushall()
        consumer.acknowledge(taken)
        with pytest.raises(NotOwner):
            consumer.take(0)
        backend.enqueue(job(1), Q)
        assert drain(consumer) == [1]


def test_a_replica_is_left(make: Make, own_server: Server, server: Server) -> None:
    backend = make(ReliableRedisBackend, own_server)
    backend.bulk_enqueue([job(0), job(1)], Q)
    with own_server.client() as client, consuming(backend) as consumer:
        taken = take(consumer)
        replica_of(client, server)
        with pytest.raises(EnqueueError, match="read-only replica") as raised:
            backend.enqueue(job(2), Q)
        assert not raised.value.may_be_stored
        with pytest.raises(BackendUnavailable, match="read-only replica"):
            consumer.fail(taken, FAILURE)
        connections = connections_of(client)
        with pytest.raises(BackendUnavailable, match="read-only replica"):
            consumer.fail(taken, FAILURE)
        assert connections_of(client) > connections, "each attempt looks for the primary anew"
        client.replicaof("NO", "ONE")


def test_a_full_server_drains_and_says_why_it_takes_no_more(make: Make, own_server: Server) -> None:
    backend = make(ReliableRedisBackend, own_server)
    backend.bulk_enqueue([job(n, "x" * 1000) for n in range(300)], Q)
    with own_server.client() as client:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", client.info("memory")["used_memory"] // 2)
        with pytest.raises(redis.exceptions.OutOfMemoryError):
            client.set("more", "x")
        with pytest.raises(EnqueueError, match="maxmemory") as raised:
            backend.enqueue(job(0), Q)
        assert not raised.value.may_be_stored
        with pytest.raises(EnqueueError, match="maxmemory") as raised:
            backend.enqueue_once(job(0), Q, "cron:x", 60)
        assert not raised.value.may_be_stored
        assert backend.idempotency_keys("cron:") == {}
        # Heartbeats, pauses, claims, failures and crashes are told, too.
        runner = make_runner()
        backend.renew_heartbeat(runner, [], 0)
        assert [seen.runner for seen in backend.runners()] == [runner]
        backend.pause(Q, datetime.now(UTC) + timedelta(minutes=1))
        assert backend.is_paused(Q)
        backend.resume(Q)
        with consuming(backend) as consumer:
            consumer.fail(take(consumer), FAILURE)
            consumer.give_back(take(consumer))
            assert drain(consumer) == list(range(1, 300))
            assert consumer.take(0.2) is None
            # Still so at the end, or this has proved nothing.
            with pytest.raises(redis.exceptions.OutOfMemoryError):
                client.set("more", "x")
        assert backend.length(Q) == 0
        assert backend.failed_count(Q) == 1
        client.config_set("maxmemory", 0)


def test_a_server_restarts_with_its_data(make: Make, own_server: Server) -> None:
    backend = make(ReliableRedisBackend, own_server)
    backend.bulk_enqueue([job(n) for n in range(50)], Q)
    found = []
    with consuming(backend) as consumer:
        for _ in range(10):
            taken = take(consumer)
            found.append(first_argument(taken))
            consumer.acknowledge(taken)
        taken = take(consumer)
        own_server.kill()
        with pytest.raises(BackendUnavailable, match="cannot be reached"):
            consumer.fail(taken, FAILURE)
        with pytest.raises(EnqueueError) as raised:
            backend.enqueue(job(50), Q)
        assert not raised.value.may_be_stored
        own_server.start()
        again(lambda: consumer.acknowledge(taken))
        found.append(first_argument(taken))
        found += drain(consumer)
    assert found == list(range(50))


@pytest.mark.parametrize("command", ["xadd", "zadd"])
def test_what_a_server_refuses_in_the_midst_of_a_script_is_not_lost(
    make: Make, server: Server, command: str
) -> None:
    """Scripts are not rolled back: a user who may pop and may not keep would lose jobs."""
    with server.client() as client:
        client.execute_command(
            *("ACL", "SETUSER", "narrow", "on", "nopass", "~*", "+@all", f"-{command}")
        )
        url = f"redis://narrow:any@127.0.0.1:{server.port}/0"
        backend = make(ReliableRedisBackend, redis_url=url, redis_port=6379)
        backend.enqueue(job(0), Q)
        with consuming(backend) as consumer:
            taken = take(consumer)
            release = (
                partial(consumer.fail, taken, FAILURE)
                if command == "xadd"
                else partial(consumer.retry, taken, 0.01, FAILURE)
            )
            for _ in range(2):
                with pytest.raises(BackendUnavailable, match=f"lacks a permission.*'{command}'"):
                    release()
                assert client.lrange(IN_HAND, 0, -1) == [taken.raw]
            client.execute_command("ACL", "SETUSER", "narrow", "+@all")
            release()
            assert client.llen(IN_HAND) == 0
            if command == "xadd":
                assert [failed.raw for failed in backend.failed_jobs(Q)] == [taken.raw]
            else:
                assert take_soon(consumer).raw == taken.raw
        client.execute_command("ACL", "DELUSER", "narrow")


def test_a_take_that_is_refused_midway_puts_back_what_it_popped(make: Make, server: Server) -> None:
    url = f"redis://narrow:any@127.0.0.1:{server.port}/0"
    with server.client() as client:
        client.execute_command("ACL", "SETUSER", "narrow", "on", "nopass", "~*", "+@all")
        backend = make(ReliableRedisBackend, redis_url=url, redis_port=6379)
        backend.bulk_enqueue([job(n) for n in range(300)], Q)
        found: list[int] = []
        refused: list[str] = []
        with consuming(backend) as consumer:
            while len(found) < 300:
                if len(found) == 100:
                    client.execute_command("ACL", "SETUSER", "narrow", "-lpush")
                try:
                    taken = take(consumer)
                except BackendUnavailable as error:
                    refused.append(str(error))
                    if len(refused) == 3:
                        client.execute_command("ACL", "SETUSER", "narrow", "+lpush")
                    continue
                found.append(first_argument(taken))
                again(lambda taken=taken: consumer.acknowledge(taken))
        assert len(refused) >= 3
        assert all(re.search("lacks a permission.*'lpush'", error) for error in refused)
        assert found == list(range(300))
        client.execute_command("ACL", "DELUSER", "narrow")


@pytest.mark.parametrize("key", ["failed", "crashes", "attempts", "delayed"])
def test_a_key_of_ours_that_holds_something_else_loses_no_job(
    make: Make, server: Server, key: str
) -> None:
    backend = make(ReliableRedisBackend)
    backend.enqueue(job(0), Q)
    with server.client() as client, consuming(backend) as consumer:
        taken = take(consumer)
        client.set(f"dlq:{key}:{Q}", "something else")
        release = (
            partial(consumer.retry, taken, 0.01, FAILURE)
            if key == "delayed"
            else partial(consumer.fail, taken, FAILURE)
        )
        with pytest.raises(BackendUnavailable, match="WRONGTYPE"):
            release()
        assert client.lrange(IN_HAND, 0, -1) == [taken.raw]
        client.delete(f"dlq:{key}:{Q}")
        release()
        assert client.llen(IN_HAND) == 0
        assert backend.failed_count(Q) == int(key != "delayed")


# Waiting


def test_an_idle_worker_is_at_peace(make: Make, server: Server) -> None:
    """It idles for longer than one blocking cycle, at the defaults of the time-outs: no error, one
    connection."""
    backend = make(ReliableRedisBackend, dequeue_timeout=1, redis_socket_timeout=2)
    with consuming(backend) as consumer, server.client() as client:
        assert consumer.take(0) is None
        before = connections_of(client)
        for _ in range(4):
            assert consumer.take(1) is None
        assert connections_of(client) == before


def test_no_job_starts_after_a_pause_has_returned(backend: RedisStorage) -> None:
    """Workers that block, and workers that are busy, on a queue that is being filled."""
    started: list[float] = []
    stop = threading.Event()

    def work(number: int) -> None:
        with consuming(backend, number) as consumer:
            while not stop.is_set():
                taken = consumer.take(0.5)
                if taken is not None:
                    started.append(time.monotonic())
                    consumer.acknowledge(taken)

    def fill() -> None:
        while not stop.is_set():
            backend.enqueue(job(0), Q)
            time.sleep(0.001)

    threads = [threading.Thread(target=work, args=(n,)) for n in (1, 2)]
    threads.append(threading.Thread(target=fill))
    for thread in threads:
        thread.start()
    try:
        for _ in range(4):
            count = len(started)
            wait_until(partial(_has_more, lambda: len(started), count), 20)
            backend.pause(Q, datetime.now(UTC) + timedelta(minutes=1))
            returned = time.monotonic()
            length = backend.length(Q)
            wait_until(partial(_has_more, lambda: backend.length(Q), length), 20)
            assert [at for at in started if at > returned] == []
            backend.resume(Q)
    finally:
        stop.set()
        for thread in threads:
            thread.join(20)
    assert not any(thread.is_alive() for thread in threads)


def test_a_worker_that_tidied_up_for_long_asks_again(make: Make, server: Server) -> None:
    """The next job came with the acknowledgement; the pause was set while it lay there."""
    backend = make(ReliableRedisBackend)
    backend.bulk_enqueue([job(0), job(1)], Q)
    with consuming(backend) as consumer, server.client() as client:
        consumer.acknowledge(take(consumer))
        wait_until(lambda: client.llen(IN_HAND) == 1 and client.llen(QUEUE) == 0)
        backend.pause(Q, datetime.now(UTC) + timedelta(minutes=1))
        assert consumer.take(0) is None
        assert (client.llen(IN_HAND), client.llen(QUEUE)) == (0, 1)
        backend.resume(Q)
        assert drain(consumer) == [1]


def test_wake_and_a_job_at_the_same_moment(make: Make, server: Server) -> None:
    """Whoever wins, the job is in the answer or on the server."""
    chance = random.Random(7)
    for storage in (REDIS, RELIABLE):
        backend = make(storage.backend_class)
        woken = 0
        with consuming(backend) as consumer:
            for n in range(150):
                gap = chance.uniform(0, 0.002)
                timer = threading.Thread(target=_push_and_wake, args=(backend, consumer, n, gap))
                timer.start()
                taken = consumer.take(5)
                timer.join()
                if taken is None:
                    woken += 1
                    taken = take_soon(consumer)
                assert first_argument(taken) == n
                consumer.acknowledge(taken)
            assert backend.length(Q) == 0
        assert woken > 0, "each came second at least once"


# Bytes that are no job


UNDECODABLE = [
    b"",
    b" ",
    b"{",
    b"null",
    b"[]",
    b'"text"',
    b"\xff\xfe{}",
    b"\x00",
    b'{"path": "a.b"}',
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b'{"path": "a.b", "args": [' + b"9" * 5000 + b'], "kwargs": {}}',
    b'{"path": "a.b", "args": [], "kwargs": {}, "timeout": ' + b"9" * 5000 + b"}",
    b'{"path": "a.b", "args": [], "kwargs": {}, "created_time": "yesterday"}',
    b'{"path": "\\ud800", "args": [], "kwargs": {}, "created_time": 5}',
]


def test_bytes_that_are_no_job_are_kept_as_failed_jobs(backend: RedisStorage) -> None:
    for raw in UNDECODABLE:
        backend.client.lpush(QUEUE, raw)
    backend.enqueue(job("good"), Q)
    with consuming(backend) as consumer:
        for raw in UNDECODABLE:
            taken = take(consumer)
            assert taken.raw == raw
            assert taken.job is None
            assert taken.problem
            consumer.fail(taken, FAILURE)
        assert drain(consumer) == ["good"]
    kept = list(backend.failed_jobs(Q))
    assert [failed.raw for failed in reversed(kept)] == UNDECODABLE
    assert all(failed.job is None for failed in kept)
    assert backend.queue_state(Q).oldest is None
    assert backend.retry_failed(Q, [failed.id for failed in kept]) == len(UNDECODABLE)
    assert backend.length(Q) == len(UNDECODABLE)


def test_undecodable_bytes_are_acknowledged_and_given_back_like_others(make: Make) -> None:
    backend = make(ReliableRedisBackend)
    for raw in (b"", b"\r\n$5\r\n", encode(job("good"))):
        backend.client.lpush(QUEUE, raw)
    with consuming(backend) as consumer:
        taken = take(consumer)
        consumer.give_back(taken)
        taken = take(consumer)
        assert taken.raw == b""
        consumer.acknowledge(taken)
        taken = take(consumer)
        assert taken.raw == b"\r\n$5\r\n"
        consumer.acknowledge(taken)
        assert drain(consumer) == ["good"]


def _push_and_wake(backend: RedisStorage, consumer: Any, n: int, gap: float) -> None:
    if n % 2:
        backend.enqueue(job(n), Q)
        time.sleep(gap)
        consumer.wake()
    else:
        consumer.wake()
        time.sleep(gap)
        backend.enqueue(job(n), Q)


def _has_more(count: Callable[[], int], than: int) -> bool:
    return count() > than + 20


def _spin(server: Server) -> None:
    with server.client() as client, pytest.raises(redis.ResponseError):
        client.eval("while true do end", 0)


def _refusal(call: Any) -> str:
    try:
        call()
    except redis.ResponseError as error:
        return str(error) if str(error).startswith("BUSY") else f"BUSY {error}"
    return ""


def replica_of(client: redis.Redis, primary: Server) -> None:
    client.replicaof("127.0.0.1", str(primary.port))
    wait_until(lambda: client.info("replication")["role"] == "slave")


def connections_of(client: redis.Redis) -> int:
    """How many the server has accepted so far."""
    count: int = client.info("stats")["total_connections_received"]
    return count
