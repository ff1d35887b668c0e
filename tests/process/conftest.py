"""Fixtures of the process tests: a runner on a real server, and jobs pushed as others would."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.kit.ledger import Ledger
from tests.kit.runner import ROOT, Runner
from tests.kit.valkey import Server

RELIABLE = "dlq.backends.reliable_redis.ReliableRedisBackend"
AT_MOST_ONCE = "dlq.backends.redis.RedisBackend"
QUEUE = "faults"


class Host:
    """Starts runners on one server, and pushes jobs there without any code of dlq between."""

    def __init__(self, directory: Path, server: Server, stack: ExitStack) -> None:
        self.directory = directory
        self.server = server
        self.client: redis.Redis = server.client()
        self.ledger = Ledger(directory / "ledger")
        self._stack = stack
        stack.callback(self.client.close)

    def run(
        self,
        *options: str,
        workers: int = 1,
        environment: dict[str, str] | None = None,
        prefix: tuple[str, ...] = (),
        directory: Path = ROOT,
        **settings: Any,
    ) -> Runner:
        """A runner, stopped when the test ends. Its workers have been started."""
        return self.start(
            *options,
            workers=workers,
            environment=environment,
            prefix=prefix,
            directory=directory,
            **settings,
        ).started(workers)

    def start(
        self,
        *options: str,
        workers: int | Mapping[str, int] = 1,
        environment: dict[str, str] | None = None,
        prefix: tuple[str, ...] = (),
        directory: Path = ROOT,
        **settings: Any,
    ) -> Runner:
        given = {
            "workers": {QUEUE: workers} if isinstance(workers, int) else workers,
            "backend": RELIABLE,
            "redis_port": self.server.port,
            **settings,
        }
        runner = Runner(
            self.directory,
            given,
            *options,
            environment=environment,
            prefix=prefix,
            working_directory=directory,
        )
        return self._stack.enter_context(runner)

    @contextmanager
    def held(self) -> Iterator[None]:
        """What is pushed within goes in together at the end."""
        client, self.client = self.client, self.client.pipeline()
        try:
            yield
            self.client.execute()
        finally:
            self.client = client

    def push(self, name: str, *args: Any, **fields: Any) -> bytes:
        """A job of a task of tests.project.faults, as 4.11 would write it."""
        content = {
            "path": f"tests.project.faults.tasks.{name}",
            "args": args,
            "kwargs": {},
            "timeout": None,
            "sigkill_on_stop": False,
            "created_time": "2026-01-01 00:00:00.000000",
            **fields,
        }
        return self.push_raw(json.dumps(content).encode())

    def push_raw(self, raw: bytes) -> bytes:
        self.client.lpush(f"django_lightweight_queue:{QUEUE}", raw)
        return raw

    def waiting(self) -> list[bytes]:
        """From the head, where jobs come in, to the tail, where they are taken."""
        return self._list(f"django_lightweight_queue:{QUEUE}")

    def in_hand(self, number: int = 1) -> list[bytes]:
        return self._list(f"django_lightweight_queue:{QUEUE}:processing:{number}")

    def _list(self, key: str) -> list[bytes]:
        return [bytes(item) for item in self.client.lrange(key, 0, -1) if isinstance(item, bytes)]


@pytest.fixture
def host(tmp_path: Path, server: Server) -> Iterator[Host]:
    with ExitStack() as stack:
        yield Host(tmp_path, server, stack)


def findings(runner: Runner, rule: str | None = None) -> list[dict[str, Any]]:
    """What `dlq status` finds wrong, by one rule or by any."""
    command = [sys.executable, "-m", "dlq", "status", "--format", "json"]
    done = subprocess.run(
        command, capture_output=True, cwd=ROOT, env=runner.environment, timeout=30, check=False
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)["findings"]
    return [finding for finding in found if rule in (None, finding["id"])]


FailedJobs = Callable[[], list[Any]]


@pytest.fixture
def failed_jobs(server: Server) -> Iterator[FailedJobs]:
    """What `dlq failed list` would read, oldest first."""
    from dlq.backends.reliable_redis import ReliableRedisBackend
    from dlq.config.settings import Settings
    from dlq.types import QueueName

    backend = ReliableRedisBackend(settings=Settings(redis_port=server.port))
    yield lambda: list(backend.failed_jobs(QueueName(QUEUE)))[::-1]
    backend.reset()
