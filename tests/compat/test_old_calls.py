"""Calls that code of 4.11 makes on a backend and its commands, on a real server."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from django_lightweight_queue.job import Job
from django_lightweight_queue.management.commands.queue_pause import (
    TIME_FORMAT,
    parse_duration_to_time,
)
from django_lightweight_queue.utils import get_backend
from dlq.backends.base import BackendWithPauseResume
from dlq.backends.redis import RedisBackend
from dlq.backends.reliable_redis import ReliableRedisBackend
from dlq.types import QueueName, WorkerNumber
from tests.kit.valkey import Server

QUEUE = QueueName("the-queue")
RELIABLE = "django_lightweight_queue.backends.reliable_redis.ReliableRedisBackend"


@pytest.fixture
def on_server(server: Server) -> override_settings:
    return override_settings(
        LIGHTWEIGHT_QUEUE_REDIS_PORT=server.port,
        LIGHTWEIGHT_QUEUE_REDIS_PREFIX="old-calls",
        LIGHTWEIGHT_QUEUE_BACKEND=RELIABLE,
    )


@pytest.mark.parametrize("backend_class", [RedisBackend, ReliableRedisBackend])
def test_dequeue_waits_while_the_queue_is_paused(
    on_server: override_settings, backend_class: type[RedisBackend]
) -> None:
    with on_server:
        backend = backend_class()
        backend.clear(QUEUE)
        backend.enqueue(Job("path", ("args",), {}), QUEUE)
        backend.pause(QUEUE, datetime.now(UTC) + timedelta(minutes=5))
        began = time.monotonic()
        assert backend.dequeue(QUEUE, WorkerNumber(2), 1) is None
        assert 0.9 < time.monotonic() - began < 5
        backend.resume(QUEUE)
        job = backend.dequeue(QUEUE, WorkerNumber(2), 1)
        assert job is not None
        assert job.args == ["args"]


def test_startup_goes_by_the_workers_of_now(on_server: override_settings) -> None:
    with on_server:
        backend = ReliableRedisBackend()
        backend.client.delete(backend.keys.processing(QUEUE, WorkerNumber(3)))
        backend.clear(QUEUE)
        backend.enqueue(Job("path", (), {}), QUEUE)
        assert backend.dequeue(QUEUE, worker_number=WorkerNumber(3), timeout=1) is not None
        with override_settings(LIGHTWEIGHT_QUEUE_WORKERS={QUEUE: 3}):
            backend.startup(QUEUE)
            assert backend.length(QUEUE) == 0
        with override_settings(LIGHTWEIGHT_QUEUE_WORKERS={QUEUE: 1}):
            backend.startup(QUEUE)
            assert backend.length(QUEUE) == 1


@override_settings(LIGHTWEIGHT_QUEUE_WORKERS={"emails": 1})
def test_a_queue_that_only_calls_name_can_be_paused(on_server: override_settings) -> None:
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=5)
    out, err = StringIO(), StringIO()
    with on_server:
        backend = get_backend(QUEUE)
        assert isinstance(backend, BackendWithPauseResume)
        words = ("--until", until.strftime(TIME_FORMAT))
        call_command("queue_pause", "quite-another", *words, stdout=out, stderr=err)
        assert backend.is_paused(QueueName("quite-another"))
        assert until.isoformat(" ") in out.getvalue()
        assert "no queue is called 'quite-another'" in err.getvalue()
        call_command("queue_resume", "quite-another", stdout=out, stderr=err)
        assert not backend.is_paused(QueueName("quite-another"))
        with pytest.raises(CommandError, match="did you mean 'emails'"):
            call_command("queue_pause", "email", *words)


@pytest.mark.parametrize(("text", "seconds"), [("3h", 10_800), ("6h7s", 21_607), ("2m8s", 128)])
def test_a_duration_becomes_a_time(text: str, seconds: int) -> None:
    left = parse_duration_to_time(text) - datetime.now(UTC)
    assert timedelta(seconds=seconds - 5) < left <= timedelta(seconds=seconds)
