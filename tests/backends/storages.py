"""The backends that the contract is run over, and how a test makes them, their jobs and runners."""

from __future__ import annotations

import logging
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from dlq.backends.base import BaseBackend, Consumer, Delivery, PreviousProcess
from dlq.backends.debug_web import DebugWebBackend
from dlq.backends.redis import RedisBackend
from dlq.backends.redis_storage.fleet.host_identity import here
from dlq.backends.reliable_redis import ReliableRedisBackend
from dlq.backends.synchronous import SynchronousBackend
from dlq.config.settings import Settings
from dlq.errors import BackendUnavailable
from dlq.job import Job
from dlq.jobs.failure import Failure
from dlq.types import QueueName, Runner, WorkerNumber
from tests.kit.valkey import Server
from tests.kit.waiting import wait_until
from tests.project.faults.spool import SpoolBackend

Q = QueueName("emails")
ONE = WorkerNumber(1)
TASK = "tests.project.orders.tasks.send"
FAILURE = Failure("raised", "ValueError: no", "Traceback …", ran=0.25, worker="emails/1")
logger = logging.getLogger("dlq.tests")


@dataclass(frozen=True)
class Storage:
    """`keeps`: jobs wait in it. `redelivers`: also after the worker has died."""

    backend_class: type[BaseBackend]
    keeps: bool
    redelivers: bool = False


SYNCHRONOUS = Storage(SynchronousBackend, keeps=False)
DEBUG_WEB = Storage(DebugWebBackend, keeps=False)
REDIS = Storage(RedisBackend, keeps=True)
RELIABLE = Storage(ReliableRedisBackend, keeps=True, redelivers=True)
OLD_STYLE = Storage(SpoolBackend, keeps=True, redelivers=True)


def settings_for(server: Server, **more: Any) -> Settings:
    return Settings(**{"redis_port": server.port, "workers": {Q: 3}, **more})


def make_runner(**more: Any) -> Runner:
    """Return a runner as of a supervisor on this host; another host's where `host` says so."""
    host, boot = here()
    runner = Runner(
        nonce=secrets.token_hex(8),
        host=host,
        boot=boot,
        pid=os.getpid(),
        started=1_700_000_000.0,
        pool_id="a11ce000",
        machine=1,
        of=1,
        exact=False,
        runs_cron=True,
        settings_module="tests.project.settings",
        version="5",
    )
    return runner._replace(**more)


def job(*args: Any, path: str = TASK, **kwargs: Any) -> Job:
    return Job(path, list(args), kwargs)


def consumer_of(
    backend: BaseBackend,
    number: int = 1,
    runner: Runner | None = None,
    previous: PreviousProcess | None = None,
    queue: QueueName = Q,
) -> Consumer:
    return backend.consumer(
        queue, WorkerNumber(number), runner or make_runner(), previous or PreviousProcess(), logger
    )


@contextmanager
def consuming(backend: BaseBackend, number: int = 1, **more: Any) -> Iterator[Consumer]:
    consumer = consumer_of(backend, number, **more)
    try:
        yield consumer
    finally:
        consumer.close()


def take(consumer: Consumer, timeout: float = 0) -> Delivery:
    """A job that must be there."""
    taken = consumer.take(timeout)
    assert taken is not None
    return taken


def again(call: Any, limit: float = 15) -> Any:
    """Ask until the server can be used, as a worker does."""
    end = time.monotonic() + limit
    while True:
        try:
            return call()
        except BackendUnavailable:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


def take_soon(consumer: Consumer, limit: float = 10) -> Delivery:
    """A job that must come within `limit` seconds."""
    taken = wait_until(lambda: consumer.take(min(limit, 5)), limit, what="a job comes")
    assert taken is not None
    return taken


def first_argument(taken: Delivery) -> Any:
    assert taken.job is not None
    return taken.job.args[0]


def drain(consumer: Consumer) -> list[Any]:
    """The first arguments of all jobs, each acknowledged."""
    found = []
    while (taken := consumer.take(0)) is not None:
        found.append(first_argument(taken))
        consumer.acknowledge(taken)
    return found
