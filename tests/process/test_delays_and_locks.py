"""Delayed and unique jobs with real workers: woken when a job is due, released when it starts."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest

from dlq.backends.redis import RedisBackend
from dlq.backends.redis_storage.storage import RedisStorage
from dlq.backends.reliable_redis import ReliableRedisBackend
from dlq.config.settings import Settings
from dlq.job import new_job
from dlq.jobs.placement import Placement
from dlq.types import QueueName
from tests.kit.valkey import Server
from tests.kit.waiting import wait_until
from tests.process.conftest import AT_MOST_ONCE, QUEUE, RELIABLE, Host

Q = QueueName(QUEUE)
UNIQUE = Placement(unique=600)
TASKS = "tests.project.faults.tasks"


@pytest.fixture(params=[RELIABLE, AT_MOST_ONCE])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def backend(server: Server, kind: str) -> Iterator[RedisStorage]:
    made = (ReliableRedisBackend if kind == RELIABLE else RedisBackend)(
        settings=Settings(redis_port=server.port)
    )
    yield made
    made.reset()


def lateness(host: Host, dues: dict[str, float]) -> list[float]:
    """How late each job started, sorted."""
    to_wall = time.time() - time.monotonic()
    starts = {event.job: event.at + to_wall for event in host.ledger.events("start")}
    return sorted(starts[name] - due for name, due in dues.items())


def test_delayed_jobs_start_when_they_are_due(host: Host, kind: str, backend: RedisStorage) -> None:
    """The workers wait already, so they do not hear of the jobs by themselves."""
    host.run(workers=2, backend=kind)
    dues = {}
    began = time.time() + 2.5
    for number in range(40):
        due = began + number * 0.05
        job = new_job(f"{TASKS}.quick", (number,), {}, None, False)
        backend.store([job], Q, Placement(at=due), [""])
        dues[str(number)] = due
    wait_until(lambda: len(host.ledger.jobs("start")) == 40, 15, what="all have run")
    late = lateness(host, dues)
    assert late[0] > -0.002, "a clock's resolution, and no more"
    assert late[20] < 0.1
    assert late[-1] < 2.5
    assert host.ledger.jobs("start") == [str(n) for n in range(40)]


def test_a_unique_job_may_be_stored_again_once_it_runs(
    host: Host, kind: str, backend: RedisStorage
) -> None:
    def put(number: int) -> int:
        job = new_job(f"{TASKS}.unique", (number, 1.0), {}, None, False)
        return backend.store([job], Q, UNIQUE, [str(number)])

    assert [put(1), put(1)] == [1, 0]
    host.run(workers=1, backend=kind)
    wait_until(lambda: host.ledger.jobs("start") == ["1"], what="it runs")
    wait_until(lambda: put(1), 1, what="its lock is released while it runs")
    assert put(1) == 0
    wait_until(lambda: host.ledger.jobs("end") == ["1", "1"], what="it has run again")
    wait_until(lambda: backend.client.exists(backend.keys.locks(Q)) == 0, what="nothing is locked")


def test_nothing_stays_locked_when_a_worker_is_killed(host: Host, server: Server) -> None:
    backend = ReliableRedisBackend(settings=Settings(redis_port=server.port))
    job = new_job(f"{TASKS}.unique", (1, 4.0), {}, None, False)
    backend.store([job], Q, UNIQUE, ["1"])
    runner = host.run(workers=1)
    wait_until(lambda: host.ledger.jobs("start") == ["1"], what="it runs")
    os.kill(runner.worker_pid(f"{QUEUE}/1"), signal.SIGKILL)
    wait_until(lambda: host.ledger.jobs("start") == ["1", "1"], what="it runs again")
    assert backend.client.exists(backend.keys.locks(Q)) == 0
    backend.reset()
