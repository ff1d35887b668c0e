"""The database server goes away between two jobs of one worker."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from glob import glob
from pathlib import Path

import pytest

from dlq.process.worker.database import CHECK_EVERY
from tests.kit.runner import Runner
from tests.kit.waiting import wait_until
from tests.process.conftest import QUEUE, RELIABLE, FailedJobs, Host

psycopg = pytest.importorskip("psycopg")
INITDB = shutil.which("initdb") or next(iter(sorted(glob("/usr/lib/postgresql/*/bin/initdb"))), "")

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.skipif(not INITDB, reason="needs the programs of a PostgreSQL server"),
]


class Postgres:
    """A server on a Unix socket in its own directory. It refuses to be run by root."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="dlq-postgres-"))
        self._user = "nobody" if os.geteuid() == 0 else None
        if self._user is not None:
            shutil.chown(self.directory, self._user)
        self._data = str(self.directory / "data")
        command = [INITDB, "-D", self._data, "-U", "postgres", "-A", "trust", "--no-sync"]
        subprocess.run(command, user=self._user, check=True, capture_output=True, cwd="/")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Postgres:
        program = str(Path(INITDB).with_name("postgres"))
        command = [program, "-D", self._data, "-k", str(self.directory)]
        self._process = subprocess.Popen(
            [*command, "-c", "listen_addresses=", "-c", "fsync=off"],
            user=self._user,
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(self._answers, 20, what="the database server answers")
        return self

    def restart(self) -> None:
        self.stop()
        self.start()

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)  # at once: its clients are disconnected
            self._process.wait(20)
            self._process = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _answers(self) -> bool:
        try:
            with psycopg.connect(host=str(self.directory), user="postgres", dbname="postgres"):
                return True
        except psycopg.OperationalError:
            return False


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    server = Postgres().start()
    yield server
    server.remove()


def test_the_next_job_gets_a_fresh_connection(
    host: Host, postgres: Postgres, failed_jobs: FailedJobs
) -> None:
    runner = Runner(
        host.directory,
        {"workers": {QUEUE: 1}, "backend": RELIABLE, "redis_port": host.server.port},
        django_settings="tests.project.faults.postgres",
        environment={"TEST_POSTGRES": str(postgres.directory)},
    )
    with runner:
        runner.started()
        for job in range(3):
            host.push("asks_database", job)
        wait_until(lambda: len(host.ledger.events("end")) == 3)
        wait_until(lambda: not host.in_hand(), what="the last one's transaction is committed")
        assert len(set(host.ledger.jobs("connection"))) == 1, "jobs share it"
        ended = time.monotonic()
        postgres.restart()
        wait_until(lambda: time.monotonic() - ended > CHECK_EVERY)
        for job in range(3, 6):
            host.push("asks_database", job)
        wait_until(lambda: len(host.ledger.events("end")) == 6)
        assert len(set(host.ledger.jobs("connection"))) == 2
        assert failed_jobs() == []
        assert {event.pid for event in host.ledger.events()} == {runner.worker_pid("faults/1")}
        assert runner.stop() == 0


def test_a_job_whose_database_is_away_is_a_failed_job(
    host: Host, postgres: Postgres, failed_jobs: FailedJobs
) -> None:
    runner = Runner(
        host.directory,
        {"workers": {QUEUE: 1}, "backend": RELIABLE, "redis_port": host.server.port},
        django_settings="tests.project.faults.postgres",
        environment={"TEST_POSTGRES": str(postgres.directory)},
    )
    with runner:
        runner.started()
        host.push("asks_database", 0)
        wait_until(lambda: host.ledger.events("end", "0"))
        wait_until(lambda: not host.in_hand(), what="its transaction is committed")
        postgres.stop()
        raw = host.push("asks_database", 1)
        host.push("quick", 2, kwargs={})
        [failed] = wait_until(failed_jobs)
        assert (failed.raw, failed.failure.kind) == (raw, "raised")
        assert "OperationalError" in failed.failure.reason
        wait_until(lambda: host.ledger.events("end", "2"))
        postgres.start()
        host.push("asks_database", 3)
        wait_until(lambda: host.ledger.events("end", "3"))
        assert runner.stop() == 0


def test_workers_do_not_share_a_pool_of_connections(
    host: Host, postgres: Postgres, failed_jobs: FailedJobs
) -> None:
    """The supervisor has asked the database before it forked them."""
    pytest.importorskip("psycopg_pool")
    runner = Runner(
        host.directory,
        {"workers": {QUEUE: 2}, "backend": RELIABLE, "redis_port": host.server.port},
        django_settings="tests.project.pooled.settings",
        environment={"TEST_POSTGRES": str(postgres.directory)},
    )
    with runner:
        runner.started(2)
        for job in range(40):
            host.push("asks_database", job)
        wait_until(lambda: len(host.ledger.events("end")) == 40)
        [before] = host.ledger.jobs("ready")
        served = {(event.pid, event.job) for event in host.ledger.events("connection")}
        assert len({pid for pid, _ in served}) == 2, "both have run jobs"
        connections = [connection for _, connection in served]
        assert len(connections) == len(set(connections)), "no two workers have the same"
        assert before not in connections
        assert failed_jobs() == []
        assert runner.stop() == 0
