"""Fixtures for tests of one backend on the run's real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dlq.backends.redis import RedisBackend
from dlq.backends.reliable_redis import ReliableRedisBackend
from dlq.config.settings import Settings
from tests.backends.storages import settings_for
from tests.kit.proxy import Proxy
from tests.kit.valkey import Server

Make = Callable[..., Any]


@pytest.fixture
def settings(server: Server) -> Settings:
    return settings_for(server)


@pytest.fixture
def make(server: Server) -> Iterator[Make]:
    """Makes backends of a class, with settings of the test's own, and closes them at the end."""
    made: list[Any] = []

    def build(backend_class: type[Any], server: Server = server, **more: Any) -> Any:
        backend = backend_class(settings_for(server, **more))
        made.append(backend)
        return backend

    yield build
    for backend in made:
        backend.reset()


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    with Proxy(server.port) as proxy:
        yield proxy


@pytest.fixture
def reliable(make: Make) -> ReliableRedisBackend:
    backend: ReliableRedisBackend = make(ReliableRedisBackend)
    return backend


@pytest.fixture
def once(make: Make) -> RedisBackend:
    backend: RedisBackend = make(RedisBackend)
    return backend
