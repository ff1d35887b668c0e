"""For every test: the order, and one server per test process, emptied for each that asks for it."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from tests.kit.valkey import Server
from tests.kit.warm import Warm

LONG_ONES = (
    "tests/chaos/test_short.py::test_mutated_payloads_become_failed_jobs",
    "tests/faults/test_fleet.py::test_machines_that_are_gone_for_good",
    "tests/chaos/test_short.py::test_rolling_restarts_lose_and_double_nothing",
    "tests/compat/test_installs.py",
    "tests/faults/test_fleet.py",
    "tests/faults/test_outages.py",
    "tests/compat/test_exchange.py",
    "tests/faults/",
    "tests/examples/test_running.py",
    "tests/process/",
    "tests/cron/test_firing.py",
    "tests/examples/",
    "tests/backends/",
    "tests/cron/",
)
"""Where tests take longest, as `--durations=0` tells. Begun first: if one of a minute came last,
the other processes would have nothing left to do meanwhile."""

LAST = "tests/chaos/test_short.py::test_killed_workers_lose_nothing"
"""It measures how soon killed workers are replaced. What others do beside it would be measured too,
and at the end there is little of that."""


def pytest_configure() -> None:
    """A shell starts a command in its background with INT ignored, which each process that a test
    starts and interrupts would inherit."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The long forms are run only where they are asked for: `-m long`. The rest, longest first."""
    items.sort(key=_place)
    if "long" in (config.option.markexpr or ""):
        return
    long = [item for item in items if item.get_closest_marker("long")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


def _place(item: pytest.Item) -> int:
    if item.nodeid == LAST:
        return len(LONG_ONES) + 1
    found = (place for place, name in enumerate(LONG_ONES) if item.nodeid.startswith(name))
    return next(found, len(LONG_ONES))


@pytest.fixture(scope="session")
def shared_server() -> Iterator[Server]:
    server = Server().start()
    yield server
    server.remove()


@pytest.fixture
def server(shared_server: Server) -> Server:
    """The process's server, empty. A test that stops or reconfigures a server makes its own."""
    with shared_server.client() as client:
        client.flushall()
    return shared_server


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    """An interpreter of this environment, with dlq imported."""
    interpreter = Warm()
    yield interpreter
    interpreter.close()
