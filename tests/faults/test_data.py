"""Jobs that fail, what is kept of them, and what they leave to the next one."""

from __future__ import annotations

import os
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dlq.backends.reliable_redis import ReliableRedisBackend
from dlq.config.settings import Settings
from dlq.types import QueueName
from tests.faults.conftest import dlq
from tests.kit.ports import free_ports
from tests.kit.runner import ROOT, Runner
from tests.kit.waiting import wait_until
from tests.kit.warm import Warm
from tests.process.conftest import QUEUE, RELIABLE, FailedJobs, Host

pytestmark = pytest.mark.chaos

ALIAS = ROOT / "dlq" / "_alias"


def test_a_failed_job_is_retried_after_the_fix(
    host: Host, failed_jobs: FailedJobs, warm: Warm
) -> None:
    fix = host.directory / "fix"
    raw = host.push("needs_file", 1, str(fix))
    host.push("quick", 2)
    runner = host.run()
    wait_until(lambda: host.ledger.events("end", "2"))
    [failed] = failed_jobs()
    assert failed.raw == raw
    assert "FileNotFoundError" in failed.failure.reason
    assert "Path(path).read_text()" in failed.failure.traceback
    fix.touch()
    dlq(warm, runner, "failed", "retry", "--all", "--yes")
    wait_until(lambda: host.ledger.events("end", "1"))
    assert failed_jobs() == []
    assert host.ledger.jobs("start") == ["1", "2", "1"]


def test_a_retry_outlives_its_runner_and_its_server(own_host: Host) -> None:
    """Its delay and its count lie on the server."""
    host = own_host
    host.push("raises_and_retries_slowly", 1)
    first = host.run()
    [one] = wait_until(lambda: host.ledger.events("start", "1"))
    wait_until(lambda: host.client.zcard("dlq:delayed:faults") == 1, what="it waits for its time")
    first.signal_everybody(signal.SIGKILL)
    host.server.kill()
    host.server.start()
    assert host.client.zcard("dlq:delayed:faults") == 1
    assert host.waiting() == []
    host.run()
    two = wait_until(lambda: host.ledger.events("start", "1")[1:], 15)[0]
    assert two.at - one.at >= 2, "not before it is due"
    three = wait_until(lambda: host.ledger.events("start", "1")[2:], 15)[0]
    assert three.at - two.at >= 4
    wait_until(lambda: host.client.xlen("dlq:failed:faults") == 1)
    assert len(host.ledger.events("start", "1")) == 3
    entries: Any = host.client.xrange("dlq:failed:faults")
    assert entries[0][1][b"attempts"] == b"3"
    assert host.client.exists("dlq:attempts:faults", "dlq:delayed:faults") == 0


def test_no_job_starts_after_pause_has_returned(host: Host) -> None:
    """The pause is set while jobs stream in and workers wait for them, time after time."""
    host.run(workers=3)
    backend = ReliableRedisBackend(settings=Settings(redis_port=host.server.port))
    sent = held = 0
    for _ in range(6):
        for _ in range(6):
            host.push("quick", sent)
            sent += 1
        over = time.monotonic() + 1
        backend.pause(QueueName(QUEUE), datetime.now(UTC) + timedelta(seconds=1))
        paused = time.monotonic()
        for _ in range(6):
            host.push("quick", sent)
            sent += 1
        wait_until(lambda end=over: time.monotonic() > end - 0.1)  # type: ignore[misc]  # mypy cannot infer a lambda's defaults
        held += len(host.waiting())
        wait_until(lambda n=sent: len(host.ledger.events("end")) == n, 10)  # type: ignore[misc]  # as above
        late = [event for event in host.ledger.events("start") if paused < event.at < over - 0.05]
        assert late == []
    assert held >= 6 * 6, "there was something to hold back"
    backend.reset()


def test_tasks_that_do_not_import_are_refused_at_the_start(host: Host, tmp_path: Path) -> None:
    app = tmp_path / "project" / "broken"
    app.mkdir(parents=True)
    (app / "__init__.py").touch()
    (app / "tasks.py").write_text("import os\n\nraise LookupError('no such thing')\n")
    (tmp_path / "project" / "broken_settings.py").write_text(
        "from tests.project.faults.settings import *\n"
        "INSTALLED_APPS = [*INSTALLED_APPS, 'broken']\n"
    )
    runner = Runner(
        host.directory,
        {"workers": {QUEUE: 1}, "backend": RELIABLE, "redis_port": host.server.port},
        django_settings="broken_settings",
        environment={
            "PYTHONPATH": os.pathsep.join((str(tmp_path / "project"), str(ROOT), str(ALIAS)))
        },
    )
    with runner:
        assert runner.wait(20) == 78
    assert "LookupError: no such thing" in runner.output
    assert "broken/tasks.py:3" in runner.output
    assert "| started" not in runner.output


def test_metrics_listen_on_loopback_only(host: Host) -> None:
    port = free_ports(2)
    host.run(enable_prometheus=True, prometheus_start_port=port)
    for number in (port, port + 1):
        wait_until(lambda n=number: _listeners(n), 10)  # type: ignore[misc]  # mypy cannot infer a lambda's defaults
        assert _listeners(number) == {"0100007F"}


def _listeners(port: int) -> set[str]:
    """The addresses, as the kernel writes them (proc(5), net/tcp), on which anybody listens."""
    found = set()
    for file in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(file).read_text().splitlines()[1:]:
            _, local, _, state, *_ = line.split()
            address, _, number = local.partition(":")
            if state == "0A" and int(number, 16) == port:
                found.add(address)
    return found
