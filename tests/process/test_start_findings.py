"""What keeps a configuration from being run, and what is told when it runs."""

from __future__ import annotations

import logging
import sys

import pytest

from dlq.config.model import Settings
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


def test_w403_a_queue_with_jobs_and_no_worker(host: Host) -> None:
    host.client.lpush("django_lightweight_queue:old", b"one", b"two")
    host.client.lpush("django_lightweight_queue:old:processing:1", b"three")
    runner = host.run()
    runner.wait_for_line(r"warning\[dlq.W403\]: queue 'old': 2 waiting, 1 in hand, no worker")
    host.push("quick", 1)
    wait_until(lambda: host.ledger.events("end", "1"))
    assert "queue 'faults'" not in runner.output
