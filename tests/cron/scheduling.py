"""A real scheduler process with a clock that the test sets, and what it left on a real server.

Run as a module it is the process: the scheduler as the supervisor runs it, except that its clock
starts where it is told and may run faster."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

from dlq.config.settings import Settings
from dlq.cron.rows.row import CronRow, parse_row
from dlq.runtime import Runtime
from dlq.scheduler import scheduler
from dlq.types import Runner
from tests.kit.valkey import Server
from tests.kit.waiting import wait_until

ROOT = Path(__file__).parents[2]
BACKEND = "dlq.backends.reliable_redis.ReliableRedisBackend"


def settings_for(server: Server, **more: Any) -> Settings:
    return Settings(**{"backend": BACKEND, "redis_port": server.port, **more})


def runner_of(project: str = "shop.settings") -> Runner:
    return Runner("nonce", "host", "boot", os.getpid(), 0.0, "pool", 1, 1, False, True, project, "")


class SchedulerProcess:
    """A context manager. `at` is what its clock says when it starts; `zero` lets several
    processes share a clock: it is the Unix time at which it said that."""

    def __init__(
        self,
        folder: Path,
        server: Server,
        rows: Sequence[Mapping[str, Any]],
        at: datetime,
        *,
        speed: float = 1.0,
        zero: float | None = None,
        project: str = "shop.settings",
        **settings: Any,
    ) -> None:
        self._log = folder / f"scheduler-{os.urandom(4).hex()}"
        self._order = {
            "port": server.port,
            "rows": list(rows),
            "at": at.isoformat(),
            "speed": speed,
            "zero": zero,
            "project": project,
            "settings": settings,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> SchedulerProcess:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.cron.scheduling", json.dumps(self._order)],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._process is not None
        if self._process.poll() is None:
            self.signal(signal.SIGCONT)
            self.has_logged("started")  # Before that, a TERM is no stop in good order.
            self._process.terminate()
            try:
                assert self._process.wait(10) == 0, self.log
            finally:
                if self._process.poll() is None:
                    self.kill()

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)

    def has_logged(self, text: str, limit: float = 20) -> SchedulerProcess:
        assert self._process is not None
        wait_until(
            lambda: text in self.log or self._ended(), limit, what=f"{text!r} in\n{self.log}"
        )
        assert text in self.log, self.log
        return self

    def _ended(self) -> bool:
        assert self._process is not None
        return self._process.poll() is not None


def queued(server: Server, queue: str = "cron") -> list[dict[str, Any]]:
    """The jobs on a queue, oldest first, read past dlq's own code."""
    with server.client() as client:
        raw = client.lrange(f"django_lightweight_queue:{queue}", 0, -1)
    return [json.loads(job) for job in reversed(raw)]


def commands(server: Server, queue: str = "cron") -> Counter[str]:
    return Counter(job["args"][0] for job in queued(server, queue))


def minutes_of(server: Server, row: CronRow) -> list[datetime]:
    """The minutes that a row's marks name."""
    with server.client() as client:
        keys = [key.decode() for key in client.keys(f"dlq:cron:{row.identity}:*")]
    return sorted(
        datetime.strptime(key.rpartition(":")[2], "%Y%m%d%H%M").replace(tzinfo=UTC) for key in keys
    )


def settled(server: Server, project: str = "shop.settings") -> str:
    with server.client() as client:
        return (client.get(f"dlq:cron:settled:{project}") or b"").decode()


def main(order: Mapping[str, Any]) -> None:
    logging.basicConfig(level=logging.DEBUG, format="%(levelname)s %(message)s")
    stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: stop.append(number))
    at = datetime.fromisoformat(order["at"])
    speed, zero = order["speed"], order["zero"] or time.time()
    parent = os.getppid()
    settings = Settings(**{"backend": BACKEND, "redis_port": order["port"], **order["settings"]})
    scheduler.run(
        [parse_row(row) for row in order["rows"]],
        settings,
        runner_of(order["project"]),
        stopped=lambda: bool(stop) or os.getppid() != parent,
        wait=lambda seconds: time.sleep(seconds / speed),
        logger=logging.getLogger("dlq.scheduler"),
        now=lambda: at + timedelta(seconds=(time.time() - zero) * speed),
        backend_of=Runtime(settings).backend,
    )


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
