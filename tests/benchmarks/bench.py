"""One bench: the server, the environments and the files that all measurements share.

It can empty itself, run a process in a system's environment and start a system's workers. What is
measured with that is in `measures`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from tests.benchmarks.environments import ROOT, Environment, prepare, variables
from tests.benchmarks.processes import Process, Workers, cpu_seconds
from tests.benchmarks.systems import DLQ, Bare, Sight, System
from tests.kit.valkey import Server

START_LIMIT = 60.0
"""Seconds that a system has until its workers are ready."""

PROCESS_LIMIT = 900.0
"""Seconds that an enqueueing process or a command has; 4.11's deduplicate needs minutes."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured at once; small ones give a first look within a minute."""

    seconds: float = 5
    enqueue: int = 5_000
    bulk: int = 50_000
    starts: int = 300
    drain_workers: tuple[int, ...] = (1, 2)
    workers: tuple[int, ...] = (1, 16)
    idle: float = 30
    duplicates: int = 100_000
    commands: int = 5


@dataclass(frozen=True, slots=True)
class Readiness:
    """What a start has cost until the workers waited for jobs."""

    wall: float
    cpu: float


class Bench:
    def __init__(self, cache: Path, sizes: Sizes) -> None:
        self.cache = cache
        self.sizes = sizes
        self.directory = Path(tempfile.mkdtemp(prefix="dlq-bench-"))
        self.ledger = self.directory / "ledger"
        # Thousands of slow commands must not push the slowest one out of the log.
        self.server = Server(**{"slowlog-log-slower-than": "500", "slowlog-max-len": "200000"})
        self.server.start()
        self.client: redis.Redis = self.server.client()
        self._environments: dict[str, Environment] = {}

    def close(self) -> None:
        self.client.close()
        self.server.remove()
        shutil.rmtree(self.directory, ignore_errors=True)

    def environment(self, system: System | Bare) -> Environment:
        """A bare loop runs with dlq's own libraries."""
        installed = DLQ if isinstance(system, Bare) else system
        if installed.name not in self._environments:
            self._environments[installed.name] = prepare(
                self.cache, installed.name, installed.requirements
            )
        return self._environments[installed.name]

    def empty(self) -> None:
        self.client.flushall()
        self.client.slowlog_reset()
        self.ledger.unlink(missing_ok=True)

    def variables(self, system: System | Bare, workers: int = 1) -> dict[str, str]:
        shared = {
            "BENCH_PORT": str(self.server.port),
            "BENCH_WORKERS": str(workers),
            "BENCH_LEDGER": str(self.ledger),
            "BENCH_DATABASE": str(self.directory / "db.sqlite3"),
        }
        if isinstance(system, System):
            shared |= {"BENCH_SYSTEM": system.project_app, **system.variables}
        return variables(shared)

    def run(self, system: System | Bare, command: Sequence[str]) -> str:
        """What a process prints that does its work and ends. Raises RuntimeError with what it
        said where it fails."""
        finished = subprocess.run(
            command,
            env=self.variables(system),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=PROCESS_LIMIT,
        )
        if finished.returncode != 0:
            raise RuntimeError(
                f"{' '.join(command)} left with {finished.returncode}:\n{finished.stderr[-2000:]}"
            )
        return finished.stdout

    def run_module(self, system: System | Bare, module: str, *arguments: str) -> Any:
        """The JSON value that one of our own modules prints in the system's environment."""
        python = self.environment(system).python
        return json.loads(
            self.run(system, [python, "-m", f"tests.benchmarks.{module}", *arguments])
        )

    def timed(self, system: System, command: Sequence[str]) -> float:
        began = time.perf_counter()
        self.run(system, command)
        return time.perf_counter() - began

    def start(self, system: System, workers: int) -> Workers:
        return Workers(
            system.command(self.environment(system), workers),
            self.variables(system, workers),
            self.directory / f"{system.name}.log",
        )

    def wait_ready(self, system: System, running: Workers, workers: int) -> Readiness:
        """Called right after the start. Looking costs some processor time itself, which is why the
        pause between two looks is not shorter."""
        began = time.perf_counter()
        while True:
            members = running.tree()
            if system.ready(self._sight(running, members), workers):
                return Readiness(time.perf_counter() - began, cpu_seconds(members))
            running.require_alive()
            if time.perf_counter() - began > START_LIMIT:
                raise RuntimeError(
                    f"{system.name}: {workers} workers are not ready within {START_LIMIT:g} s:\n"
                    + running.log_tail()
                )
            time.sleep(0.01)

    def _sight(self, running: Workers, members: Sequence[Process]) -> Sight:
        return Sight(
            blocked=int(self.client.info("clients")["blocked_clients"]),
            processes=len(members),
            printed=running.log.read_text(errors="replace"),
        )
