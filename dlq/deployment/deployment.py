"""What a file for another supervisor needs to know of a plan."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from dlq.planning.split import Split

STOP_MARGIN = 15
"""Seconds between the end of dlq's own stop and the moment at which others would kill it: workers
that are over their time are killed and reported first."""

UNLIMITED_STOP = 3600
"""Seconds for a stop that waits for jobs without a timeout, where a number is needed."""

HEALTH_MAX_AGE = 30
"""Seconds without a sign of the supervision loop after which it counts as hanging."""


class Machine(NamedTuple):
    """One machine of the pool. `workers` are names such as `emails/1`. `metrics_port` is the first
    of the ports that it serves metrics on, None for none."""

    number: int
    workers: tuple[str, ...]
    schedules_cron: bool
    metrics_port: int | None


class StopLimit(NamedTuple):
    """How many seconds dlq may take to stop, None where nothing limits it; `reason` says why."""

    seconds: float | None
    reason: str

    @property
    def for_others(self) -> int:
        """The whole seconds after which another supervisor may kill it."""
        if self.seconds is None:
            return UNLIMITED_STOP
        return math.ceil(self.seconds) + STOP_MARGIN


class Deployment(NamedTuple):
    """`command` starts dlq (`/srv/shop/.venv/bin/dlq`); `directory` is where it runs."""

    pool_id: str
    of: int
    machines: tuple[Machine, ...]
    command: str
    directory: str
    settings_module: str
    config: tuple[str, ...]
    stop: StopLimit
    health_file: str = "/tmp/dlq-health"

    def run_words(self, machine: Machine, *, health: bool = False) -> list[str]:
        """Return the command line of a machine."""
        words = [self.command, "run", "--machine", str(machine.number), "--of", str(self.of)]
        for file in self.config:
            words += ["--config", file]
        words += ["--expect-pool", self.pool_id]
        return [*words, "--health-file", self.health_file] if health else words

    def health_words(self) -> list[str]:
        return [
            self.command,
            "health",
            "--file",
            self.health_file,
            "--max-age",
            f"{HEALTH_MAX_AGE}s",
        ]

    @property
    def environment(self) -> Mapping[str, str]:
        return {"DJANGO_SETTINGS_MODULE": self.settings_module}

    def comments(self, machine: Machine) -> list[str]:
        """Return what a person should know of a machine, one line each."""
        shown = " ".join(machine.workers[:20]) or "no workers"
        more = len(machine.workers) - 20
        lines = [f"Machine {machine.number} of {self.of}, pool {self.pool_id}: {shown}"]
        if more > 0:
            lines[0] += f" and {more} more"
        if machine.schedules_cron:
            lines[0] += ", cron scheduler"
        processes = len(machine.workers) + 2 + machine.schedules_cron
        lines.append(f"{processes} processes: give it memory for {processes} times your project")
        if machine.metrics_port is not None:
            last = machine.metrics_port + len(machine.workers)
            lines.append(f"Metrics: ports {machine.metrics_port} to {last}")
        return lines

    def stop_comment(self) -> str:
        return f"A stop waits for running jobs: {self.stop.reason}."


def machines_of(
    split: Split, *, metrics_port: int | None, on_one_host: bool = False
) -> tuple[Machine, ...]:
    """Return the machines of a split of a whole pool. `on_one_host` gives each its own ports."""
    machines = []
    port = metrics_port
    for number in range(1, split.pool.of + 1):
        workers = tuple(worker.name for worker in split.workers if worker.machine == number)
        machines.append(Machine(number, workers, number in split.schedulers, port))
        if port is not None and on_one_host:
            port += len(workers) + 1
    return tuple(machines)
