"""Workers on a backend with the interface of django-lightweight-queue 4.11 and nothing more: no
owners, no failed jobs, no word on whether a job was handed out before."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.kit.runner import Runner, is_alive
from tests.kit.waiting import wait_until
from tests.project.faults.spool import VARIABLE

SPOOL = "tests.project.faults.spool.SpoolBackend"


class Spool:
    def __init__(self, directory: Path) -> None:
        self.root = directory / "spool"
        self.queue = self.root / "faults"
        self.queue.mkdir(parents=True)
        self.count = 0

    def push(self, name: str, *args: Any, **fields: Any) -> None:
        self.count += 1
        content = {"path": f"tests.project.faults.tasks.{name}", "args": args, "kwargs": {}}
        path = self.queue / f".{self.count:06d}"
        path.write_text(json.dumps({**content, **fields}))
        path.rename(self.queue / f"{self.count:06d}")


@contextmanager
def spooling(directory: Path, **settings: Any) -> Iterator[tuple[Spool, Runner]]:
    spool = Spool(directory)
    given = {"workers": {"faults": 1}, "backend": SPOOL, **settings}
    with ExitStack() as stack:
        runner = Runner(directory, given, environment={VARIABLE: str(spool.root)})
        stack.enter_context(runner)
        yield spool, runner.started()


def test_jobs_are_run_and_what_fails_is_logged(tmp_path: Path) -> None:
    with spooling(tmp_path) as (spool, runner):
        spool.push("raises", 1)
        spool.push("quick", 2)
        wait_until(lambda: runner.ledger.events("end", "2"))
        runner.wait_for_line("its backend keeps no failed jobs: ValueError: this job raises")
        assert runner.stop() == 0


def test_a_job_that_takes_its_worker_down_is_given_up(tmp_path: Path) -> None:
    with spooling(tmp_path, max_crashes=2) as (spool, runner):
        spool.push("segfaults", 1)
        spool.push("over_time", 2, timeout=0.5)
        spool.push("quick", 3)
        wait_until(lambda: runner.ledger.events("end", "3"))
        assert runner.ledger.jobs("start") == ["1", "1", "2", "3"]
        assert "took its worker down 2 times" in runner.output
        assert "ran longer than its timeout of 0.5 s" in runner.output


def test_a_killed_worker_hands_its_job_to_the_next(tmp_path: Path) -> None:
    with spooling(tmp_path) as (spool, runner):
        spool.push("until_file", 1, str(tmp_path / "go"))
        [first] = wait_until(lambda: runner.ledger.events("start", "1"))
        os.kill(first.pid, signal.SIGKILL)
        second = wait_until(lambda: runner.ledger.events("start", "1")[1:])[0]
        assert second.pid != first.pid
        (tmp_path / "go").touch()
        wait_until(lambda: runner.ledger.events("end", "1"))


def test_a_killed_supervisor_leaves_no_worker(tmp_path: Path) -> None:
    with spooling(tmp_path) as (spool, runner):
        spool.push("quick", 1)
        [event] = wait_until(lambda: runner.ledger.events("end", "1"))
        runner.signal(signal.SIGKILL)
        runner.wait()
        wait_until(lambda: not is_alive(event.pid), 2)
