"""The test project's tasks on a real server, and a real runner for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from dlq import runtime
from dlq.types import QueueName
from tests.kit.runner import Runner
from tests.kit.valkey import Server
from tests.project.framework import settings as project

RELIABLE = "dlq.backends.reliable_redis.ReliableRedisBackend"
QUEUE = QueueName("framework")


@pytest.fixture
def tasks(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module with the tasks, in a process that enqueues to the run's server."""
    monkeypatch.setenv("TEST_LEDGER", str(tmp_path / "ledger"))
    with (
        override_settings(
            TASKS=project.TASKS,
            LIGHTWEIGHT_QUEUE_BACKEND=RELIABLE,
            LIGHTWEIGHT_QUEUE_REDIS_PORT=server.port,
        ),
        # After the framework has heard of TASKS: the apps' tasks are imported at once.
        override_settings(INSTALLED_APPS=project.INSTALLED_APPS),
    ):
        yield import_module("tests.project.framework.tasks")
        runtime.current().reset_connections()


@pytest.fixture
def run(server: Server, tmp_path: Path) -> Iterator[Callable[..., Runner]]:
    runners: list[Runner] = []

    def start(**settings: Any) -> Runner:
        given: dict[str, Any] = {
            "workers": {QUEUE: 1},
            "backend": RELIABLE,
            "redis_port": server.port,
            **settings,
        }
        runner = Runner(tmp_path, given, django_settings="tests.project.framework.settings")
        runners.append(runner)
        return runner.__enter__().started(len(given["workers"]))

    yield start
    for runner in runners:
        runner.__exit__(None, None, None)
