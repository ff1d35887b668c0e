"""Cron as a pool runs it: `dlq run` on each machine, its scheduler a child of the supervisor.

No test waits for a minute to pass. A pool that was stopped some minutes ago is told by the mark
that its scheduler left, and catches the last run up at once.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.kit.runner import Runner
from tests.kit.valkey import Server
from tests.kit.waiting import wait_until

pytestmark = pytest.mark.chaos

MODULE = "tests.project.clockwork.settings"


@contextmanager
def pool(directory: Path, server: Server, machines: str) -> Iterator[tuple[Runner, Runner]]:
    """Two machines, stopped three minutes ago. They share one ledger."""
    stopped = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=3)
    with server.client() as client:
        client.set(f"clock:dlq:cron:settled:{MODULE}", stopped.isoformat())
    settings = {
        "workers": {"cron": 2},
        "backend": "dlq.backends.reliable_redis.ReliableRedisBackend",
        "redis_port": server.port,
        "redis_prefix": "clock",
        "cron_machines": machines,
    }
    with ExitStack() as stack:
        runners = []
        for machine in ("1", "2"):
            own = directory / machine
            own.mkdir()
            runner = Runner(
                own,
                settings,
                *("--machine", machine, "--of", "2"),
                environment={"TEST_LEDGER": str(directory / "ledger")},
                django_settings=MODULE,
            )
            runners.append(stack.enter_context(runner))
        for runner in runners:
            runner.started()
        yield runners[0], runners[1]


def minutes_struck(directory: Path) -> int:
    path = directory / "ledger"
    return path.read_text().count('"struck"') if path.exists() else 0


def marks(server: Server) -> list[str]:
    with server.client() as client:
        keys = [key.decode() for key in client.scan_iter("clock:dlq:cron:*")]
    return [key for key in keys if re.search(r":[0-9]{12}$", key)]


def schedulers(runner: Runner) -> list[int]:
    return [
        int(pid)
        for pid in re.findall(r"^cron scheduler \| started, pid (\d+)", runner.output, re.M)
    ]


@pytest.mark.parametrize("machines", ["first", "all"])
def test_each_minute_strikes_once_in_a_pool(tmp_path: Path, server: Server, machines: str) -> None:
    with pool(tmp_path, server, machines) as (first, second):
        wait_until(lambda: minutes_struck(tmp_path), 15, what="the missed run is caught up")
        expected = [1, 1 if machines == "all" else 0]
        wait_until(
            lambda: [len(schedulers(runner)) for runner in (first, second)] == expected,
            what="both have started, the second's scheduler too where it has one",
        )
        # As many runs as marks, whatever minutes have begun meanwhile.
        wait_until(lambda: minutes_struck(tmp_path) == len(marks(server)), 15)


def test_a_scheduler_that_hangs_or_dies_is_replaced(tmp_path: Path, server: Server) -> None:
    with pool(tmp_path, server, "first") as (first, _):
        wait_until(lambda: minutes_struck(tmp_path), 15, what="the missed run is caught up")
        [pid] = schedulers(first)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: len(schedulers(first)) == 2, 10, what="it is started again")
        assert re.search(r"cron scheduler \| killed by SIGKILL", first.output)
        wait_until(lambda: minutes_struck(tmp_path) == len(marks(server)), 15)
