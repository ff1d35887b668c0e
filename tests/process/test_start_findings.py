"""What keeps a configuration from being run, and what is told when it runs."""

from __future__ import annotations

import logging
import sys

import pytest

from dlq.config.settings import Settings
from dlq.operations.run import start_findings
from tests.kit.waiting import wait_until
from tests.process.conftest import Host


def ids(settings: Settings) -> list[str]:
    return [finding.id for finding in start_findings(settings)]


def test_e401_metrics_without_their_package(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(enable_prometheus=True)
    assert ids(settings) == []
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    [finding] = start_findings(settings)
    assert finding.id == "dlq.E401"
    assert finding.help == "pip install 'dlq[metrics]'"


def test_e402_settings_that_no_new_interpreter_can_be_sent() -> None:
    assert ids(Settings(preload=False)) == []
    assert ids(Settings(preload=False, logger_factory=logging.getLogger)) == []
    assert ids(Settings(preload=False, logger_factory=lambda name: None)) == ["dlq.E402"]
    assert ids(Settings(logger_factory=lambda name: None)) == []


def test_e505_a_database_that_the_server_does_not_have(host: Host) -> None:
    """Also in the background: it is told before the terminal is given back."""
    pidfile = host.directory / "pid"
    for options in ((), ("--pidfile", str(pidfile))):
        runner = host.start(*options, redis_database=99)
        assert runner.wait(15) == 78
        assert (
            f"error[dlq.E505]: the server at 127.0.0.1:{host.server.port} has 16 databases"
            " (0 to 15), and no 99\n --> $LIGHTWEIGHT_QUEUE_REDIS_DATABASE\n"
        ) in runner.output
        assert "started, pid" not in runner.output
    assert not pidfile.exists()


def test_w406_threads_in_the_supervisor(host: Host) -> None:
    """A worker has none of them, and may have inherited a lock that one of them holds."""
    runner = host.run(environment={"DJANGO_SETTINGS_MODULE": "tests.project.faults.threaded"})
    runner.wait_for_line(r"warning\[dlq\.W406\]: 1 other thread runs .*: exporter")


def test_w403_a_queue_with_jobs_and_no_worker(host: Host) -> None:
    host.client.lpush("django_lightweight_queue:old", b"one", b"two")
    host.client.lpush("django_lightweight_queue:old:processing:1", b"three")
    runner = host.run()
    runner.wait_for_line(r"warning\[dlq.W403\]: queue 'old': 2 waiting, 1 in hand, no worker")
    host.push("quick", 1)
    wait_until(lambda: host.ledger.events("end", "1"))
    assert "queue 'faults'" not in runner.output
