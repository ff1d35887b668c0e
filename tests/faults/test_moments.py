"""Workers that are killed at moments that chance seldom hits."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.kit.runner import Runner
from tests.kit.waiting import wait_until
from tests.process.conftest import FailedJobs, Host

pytestmark = pytest.mark.chaos


def gated(host: Host, moment: str, **settings: Any) -> tuple[Path, Runner]:
    """A runner whose jobs are held at `moment` for as long as the file is there."""
    closed = host.directory / moment
    closed.touch()
    runner = host.run(
        environment={"TEST_GATE": str(host.directory)},
        middleware=["tests.project.faults.middleware.Gate"],
        **settings,
    )
    return closed, runner


def test_killed_between_take_and_run(host: Host, failed_jobs: FailedJobs) -> None:
    """The server has handed the job out, and its worker has not read the answer."""
    runner = host.run(max_crashes=1)
    host.push("quick", 0)
    wait_until(lambda: host.ledger.events("end", "0") and not host.in_hand())
    worker = runner.worker_pid("faults/1")
    wait_until(lambda: _is_blocked(host), what="the worker waits for a job")
    os.kill(worker, signal.SIGSTOP)
    raw = host.push("quick", 1)
    wait_until(lambda: host.in_hand() == [raw], what="it is in the worker's list")
    assert not host.ledger.events("start", "1")
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: host.ledger.events("end", "1"), 3)
    assert host.ledger.jobs("start") == ["0", "1"]
    assert runner.worker_pid("faults/1") != worker
    wait_until(lambda: not host.in_hand())
    assert failed_jobs() == [], "it was not counted as a crash, of which one would be too many"


def test_killed_between_run_and_acknowledge(host: Host, failed_jobs: FailedJobs) -> None:
    """The one moment that makes a duplicate, and not more than one."""
    closed, runner = gated(host, "after")
    host.push("quick", 1)
    [held] = wait_until(lambda: host.ledger.events("held after", "1"))
    assert host.ledger.jobs("end") == ["1"]
    assert len(host.in_hand()) == 1, "not acknowledged"
    os.kill(held.pid, signal.SIGKILL)
    closed.unlink()
    host.push("quick", 2)
    wait_until(lambda: host.ledger.events("end", "2"), 3)
    wait_until(lambda: not host.in_hand())
    assert host.ledger.jobs("end") == ["1", "1", "2"]
    assert runner.worker_pid("faults/1") != held.pid
    assert failed_jobs() == []


def test_killed_before_the_function_is_called(host: Host, failed_jobs: FailedJobs) -> None:
    """Middleware is part of the run: what kills its worker there, time after time, is given up."""
    _closed, _runner = gated(host, "before", max_crashes=2)
    raw = host.push("quick", 1)
    for times in (1, 2):
        held = wait_until(lambda n=times: host.ledger.events("held before", "1")[n - 1 :], 5)  # type: ignore[misc]  # mypy cannot infer a lambda's defaults
        os.kill(held[0].pid, signal.SIGKILL)
    [failed] = wait_until(failed_jobs, 5)
    assert (failed.raw, failed.failure.kind) == (raw, "crashed")
    assert not host.ledger.events("start")


def _is_blocked(host: Host) -> bool:
    return any(client["cmd"] == "blmove" for client in host.client.client_list())
