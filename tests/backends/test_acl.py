"""The ACL rule: the whole contract runs with a user that has it and nothing else."""

from __future__ import annotations

import doctest
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis

from dlq.backends.base import ProgressLogger
from dlq.backends.redis import RedisBackend
from dlq.backends.redis_storage import acl
from dlq.backends.reliable_redis import ReliableRedisBackend
from dlq.errors import BackendUnavailable, EnqueueError
from dlq.jobs.placement import Placement
from tests.backends.conftest import Make
from tests.backends.storages import (
    FAILURE,
    Q,
    consumer_of,
    consuming,
    job,
    logger,
    make_runner,
    settings_for,
    take,
    take_soon,
)
from tests.backends.test_contract import *  # noqa: F403  (the same tests, with this module's `make`)
from tests.kit.valkey import Server
from tests.kit.waiting import wait_until


def add_user(server: Server, prefix: str, name: str = "dlq") -> str:
    """The URL for it."""
    rule = acl.dlq_acl(prefix).split(" ")
    with server.client() as client:
        client.execute_command("ACL", "SETUSER", name, "reset", "on", ">s3cret", *rule)
    return f"redis://{name}:s3cret@127.0.0.1:{server.port}/0"


@pytest.fixture
def make(server: Server) -> Iterator[Make]:
    """Make backends as the fixture for all tests does, but each with a user that has only the
    rule."""
    made: list[Any] = []

    def build(backend_class: type[Any], server: Server = server, **more: Any) -> Any:
        url = add_user(server, more.get("redis_prefix", ""), f"dlq{len(made)}")
        backend = backend_class(settings_for(server, redis_url=url, **more))
        made.append(backend)
        return backend

    yield build
    for backend in made:
        backend.reset()
    with server.client() as client:
        for number in range(len(made)):
            client.execute_command("ACL", "DELUSER", f"dlq{number}")


@pytest.fixture
def own_server() -> Iterator[Server]:
    server = Server().start()
    yield server
    server.remove()


def test_the_rule_ends_at_its_prefix(make: Make, server: Server) -> None:
    make(ReliableRedisBackend, redis_prefix="shop[1]")
    with redis.Redis("127.0.0.1", server.port, username="dlq0", password="s3cret") as client:
        client.lpush("shop[1]:django_lightweight_queue:emails", "x")
        for key in ("shop1:django_lightweight_queue:emails", "django_lightweight_queue:emails"):
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.lpush(key, "x")


def test_a_missing_permission_is_named(make: Make, server: Server) -> None:
    backend = make(ReliableRedisBackend)
    with server.client() as client:
        client.execute_command("ACL", "SETUSER", "dlq0", "-lpush", "-evalsha")
    with pytest.raises(EnqueueError, match="lpush") as raised:
        backend.enqueue(job(0), Q)
    assert not raised.value.may_be_stored
    with consuming(backend) as consumer, pytest.raises(BackendUnavailable, match="evalsha"):
        consumer.take(0)


def test_a_permission_that_a_script_misses_is_named(make: Make, server: Server) -> None:
    backend = make(ReliableRedisBackend)
    with server.client() as client:
        client.execute_command("ACL", "SETUSER", "dlq0", "-rpop")
        backend.enqueue(job(0), Q)
        with consuming(backend) as consumer:
            with pytest.raises(BackendUnavailable, match=r"lacks a permission .*'rpop'.* ACL rule"):
                consumer.take(0)
            assert backend.length(Q) == 1
            client.execute_command("ACL", "SETUSER", "dlq0", "+rpop")
            consumer.acknowledge(take(consumer))


def test_the_rule_allows_what_dlq_does_and_no_more(make: Make, own_server: Server) -> None:
    """Everything that a backend can do is done once; the server has counted the commands."""
    reliable = make(ReliableRedisBackend, own_server)
    once = make(RedisBackend, own_server)
    with own_server.client() as client:
        for n in range(3):
            client.lpush(f"django_lightweight_queue:{Q}:processing:9", f'{{"path": "{n}"}}')
        client.config_resetstat()
        _tour(reliable)
        _tour(once)
        stats: dict[str, Any] = client.info("commandstats")
    used = {name.removeprefix("cmdstat_") for name in stats}
    used -= {"auth", "hello", "config|resetstat", "acl|setuser"}
    allowed = set(acl.KEY_COMMANDS) | set(acl.OTHER_COMMANDS)
    denied = {name for name, found in stats.items() if found["rejected_calls"]}
    assert denied == set()
    assert used - allowed == set(), "used, and not in the rule"
    assert allowed - used == {"select"}, "in the rule, and not used (but for a REDIS_DATABASE)"


@pytest.mark.parametrize(
    "command",
    [
        ("GET", "session:1"),
        ("SET", "dlqx", "1"),
        ("LPUSH", "celery", "x"),
        ("FLUSHALL",),
        ("CONFIG", "GET", "*"),
        ("KEYS", "*"),
        ("ACL", "LIST"),
        ("EVAL", "return redis.call('GET', 'session:1')", "0"),
        ("SHUTDOWN",),
        ("SCRIPT", "FLUSH"),
        ("CLIENT", "KILL", "ID", "1"),
        ("SUBSCRIBE", "x"),
    ],
    ids=lambda command: command[0].lower(),
)
def test_the_user_can_do_nothing_else(server: Server, command: tuple[str, ...]) -> None:
    add_user(server, "")
    with redis.Redis("127.0.0.1", server.port, username="dlq", password="s3cret") as client:
        client.lpush("django_lightweight_queue:emails", "x")
        with pytest.raises(redis.ResponseError, match=r"permission|ACL"):
            client.execute_command(*command)


def test_the_example_in_the_module_is_true() -> None:
    assert doctest.testmod(acl).failed == 0
    assert doctest.testmod(acl).attempted == 2


def _tour(backend: Any) -> None:
    backend.startup(Q)
    backend.clear(Q)
    backend.bulk_enqueue([job(n // 2) for n in range(20)], Q)
    with consuming(backend, 3) as consumer:

        def take_one(items: Any) -> Any:
            for item in items:
                yield item
                consumer.acknowledge(take(consumer))

        assert (
            backend.deduplicate(Q, progress_logger=ProgressLogger(logger.info, take_one))[0] == 20
        )
    runner = make_runner(host="elsewhere")
    backend.renew_heartbeat(runner, [], 0)
    with consuming(backend) as consumer:
        consumer.acknowledge(take(consumer))
        consumer.give_back(take(consumer))
        taken = take(consumer)
        consumer.retry(taken, 0, FAILURE)
        taken = take_soon(consumer)
        consumer.fail(taken, FAILURE)
        while (taken_next := consumer.take(0.1)) is not None:
            consumer.fail(taken_next, FAILURE)
        first, second, *_ = backend.failed_jobs(Q)
        backend.retry_failed(Q, [first.id])
        backend.discard_failed(Q, [second.id])
        backend.pause(Q, datetime.now(UTC) + timedelta(minutes=1))
        assert backend.is_paused(Q)
        assert consumer.take(0) is None
        backend.resume(Q)
        backend.clear(Q)
        timer = threading.Timer(0.1, backend.enqueue, (job(1), Q))
        timer.start()
        consumer.acknowledge(take_soon(consumer))
        timer.join()
        timer = threading.Timer(0.1, consumer.wake)
        timer.start()
        assert consumer.take(5) is None
        timer.join()
    # A worker that died, its runner, and a spare number beside a pool.
    backend.bulk_enqueue([job(n) for n in range(3)], Q)
    dead = consumer_of(backend, 1, runner)
    take(dead)
    with consuming(backend, runner=runner) as successor:
        taken = take(successor)
        successor.acknowledge(taken)
    gone = consumer_of(backend, 2, make_runner(host="gone"))
    gone.take(0)
    with consuming(backend, 2, runner=make_runner(exact=True)) as spare:
        spare.take(0)
        backend.queue_state(Q)
    backend.client.unlink(*(backend.keys.alive(found.runner.nonce) for found in backend.runners()))
    if isinstance(backend, ReliableRedisBackend):
        backend.reclaim([Q], runner)
        wait_until(lambda: backend.reclaim([Q], runner), 20)
    backend.give_back_all(Q, 1, runner)
    backend.withdraw(runner)
    later = Placement(delay=60, unique=60)
    backend.store([job(n) for n in range(3)], Q, later, ["a", "b", "c"])
    backend.promote({Q: 1})
    delayed = list(backend.delayed_jobs(Q))
    backend.run_delayed(Q, delayed[:1])
    backend.discard_delayed(Q, delayed[1:2])
    backend.unlock(Q, delayed[2].raw)
    backend.queues_with_delayed_jobs()
    backend.delayed_count(Q)
    backend.store([job(1)], Q, Placement(unique=60), ["d"])
    backend.clear(Q)
    backend.clear_delayed(Q)
    mark = f"cron:{type(backend).__name__}"
    assert backend.enqueue_once(job(0), Q, mark, 60)
    backend.set_idempotency_key("cron:2", "x", 60)
    assert set(backend.idempotency_keys("cron:")) >= {mark, "cron:2"}
    backend.stored_queues()
    backend.queues_with_failed_jobs()
    backend.failed_count(Q)
    backend.failures_dropped([Q])
    backend.length(Q)
    backend.server_state()
    backend.processed_job(Q, 1, backend.dequeue(Q, 1, 1))
    for consumer in (dead, gone):
        consumer.close()
