"""Several machines of one pool, as processes of this one: `dlq run` for each."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cli.conftest import Project
from tests.kit.waiting import wait_until


class Fleet:
    def __init__(self, project: Project) -> None:
        self.project = project
        self.machines: dict[str, subprocess.Popen[bytes]] = {}
        self.logs: dict[str, Path] = {}

    def start(self, name: str, *options: str, env: Mapping[str, str] | None = None) -> None:
        """Start `dlq run OPTIONS` under a name of the test's."""
        log = self.project.directory / f"{name}.log"
        with log.open("ab") as output:
            self.machines[name] = subprocess.Popen(
                [sys.executable, "-m", "dlq", "run", *options],
                cwd=self.project.directory,
                env=self.project.env(env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.logs[name] = log

    def stop(self, name: str) -> int:
        process = self.machines.pop(name)
        process.terminate()
        return process.wait(20)

    def status(self) -> Any:
        return self.project.dlq("status", "--format", "json").json

    def workers(self) -> dict[str, int]:
        """Return the living workers by name, and how many runners say they have each."""
        found: dict[str, int] = {}
        for runner in self.status()["runners"]:
            for worker in runner["workers"]:
                found[worker] = found.get(worker, 0) + 1
        return found

    def wait_for_runners(self, count: int) -> None:
        wait_until(
            lambda: len(self.status()["runners"]) == count, 30, what=f"{count} runners are alive"
        )

    def text(self) -> str:
        return "\n".join(f"== {name}\n{log.read_text()}" for name, log in self.logs.items())


@contextmanager
def fleet(project: Project) -> Iterator[Fleet]:
    machines = Fleet(project)
    try:
        yield machines
    finally:
        for process in machines.machines.values():
            process.terminate()
        for process in machines.machines.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)
