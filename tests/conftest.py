"""Fixtures for every test: one server per run, emptied before each test that asks for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kit.valkey import Server


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The long forms are run only where they are asked for: `-m long`."""
    if "long" in (config.option.markexpr or ""):
        return
    long = [item for item in items if item.get_closest_marker("long")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


@pytest.fixture(scope="session")
def shared_server() -> Iterator[Server]:
    server = Server().start()
    yield server
    server.remove()


@pytest.fixture
def server(shared_server: Server) -> Server:
    """The run's server, empty. A test that stops or reconfigures a server makes its own."""
    with shared_server.client() as client:
        client.flushall()
    return shared_server
