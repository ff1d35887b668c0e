"""Subclasses as code for django-lightweight-queue 4.11 has them: what they override counts."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from dlq.backends.base import BaseBackend
from dlq.config import active
from dlq.errors import BackendUnavailable, EnqueueError
from dlq.runtime import Runtime
from tests.backends.conftest import Make
from tests.backends.storages import (
    FAILURE,
    REDIS,
    RELIABLE,
    Q,
    consumer_of,
    consuming,
    drain,
    job,
    settings_for,
    take,
)
from tests.kit.ports import free_port
from tests.kit.valkey import Server
from tests.project import overriding


@pytest.fixture
def made(server: Server, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make a backend as the runtime does, with a constructor that takes nothing."""
    backends: list[BaseBackend] = []

    def make(name: str, **more: Any) -> Any:
        settings = settings_for(server, backend=f"tests.project.overriding.{name}", **more)
        monkeypatch.setattr(active, "settings", lambda: settings)
        backends.append(Runtime(settings).backend(Q))
        return backends[-1]

    yield make
    for backend in backends:
        backend.reset()


def test_a_worker_calls_an_overridden_dequeue(made: Any) -> None:
    backend = made("OwnDequeue")
    backend.enqueue(job(1), Q)
    with consuming(backend) as consumer:
        assert not consumer.redelivers
        assert drain(consumer) == [1]
    assert backend.taken == [job(1).path]


def test_a_worker_calls_an_overridden_processed_job(made: Any) -> None:
    backend = made("OwnProcessedJob")
    backend.bulk_enqueue([job(1), job(2)], Q)
    with consuming(backend) as consumer:
        consumer.acknowledge(take(consumer))
        consumer.fail(take(consumer), FAILURE)
    assert len(backend.processed) == 2
    assert backend.client.keys("django_lightweight_queue:*") == []
    assert backend.failed_count(Q) == 1


def test_everything_goes_through_a_client_that_was_set(
    made: Any, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OWN_CLIENT_PORT", str(server.port))
    backend = made("OwnClient", redis_port=free_port())
    backend.startup(Q)
    backend.enqueue(job(1), Q)
    backend.bulk_enqueue([job(2), job(3)], Q)
    assert backend.enqueue_once(job(4), Q, "cron:x", 60)
    backend.reset()
    with consuming(backend) as consumer:
        assert drain(consumer) == [1, 2, 3, 4]
    assert backend.length(Q) == 0


def test_a_subclass_that_overrides_nothing_of_it_loses_nothing(made: Any) -> None:
    backend = made("OwnKey")
    assert type(consumer_of(backend)).__name__ == "RedisConsumer"


def test_a_function_may_make_the_backend(made: Any) -> None:
    assert isinstance(made("make_backend"), overriding.OwnDequeue)
    with pytest.raises(TypeError, match=r"make_something returned object"):
        made("make_something")


@pytest.mark.parametrize("storage", [REDIS, RELIABLE])
def test_what_redis_py_raises_is_raised_too(make: Make, storage: Any) -> None:
    """Code of 4.11 catches redis.exceptions.ConnectionError around a call of a task."""
    backend = make(storage.backend_class, redis_port=free_port())
    with pytest.raises(redis.exceptions.ConnectionError) as raised:
        backend.enqueue(job(1), Q)
    assert isinstance(raised.value, EnqueueError)
    assert not raised.value.may_be_stored
    for call in (lambda: backend.length(Q), lambda: consumer_of(backend).take(0)):
        with pytest.raises(redis.exceptions.ConnectionError) as unreachable:
            call()
        assert isinstance(unreachable.value, BackendUnavailable)
        assert "cannot be reached" in str(unreachable.value)
