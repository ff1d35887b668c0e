"""A status as Prometheus reads it: parsed by Prometheus's own client."""

from __future__ import annotations

from datetime import UTC, datetime

from prometheus_client.parser import text_string_to_metric_families

from dlq.backends.state import QueueState
from dlq.cron.history import CronRecord
from dlq.cron.rows.row import parse_row
from dlq.diagnostics.rules import backends as rules
from dlq.operations.cron_status import CronStatus
from dlq.operations.monitoring.prometheus_text import prometheus_text
from dlq.operations.status import QueueStatus, Status
from dlq.types import QueueName

HOSTILE = QueueName('a"b\\c\nd')
STATE = QueueState(HOSTILE, 3, 1, 2, 4, 90.0, 200.0, ())
ROW = parse_row({"command": "sync", "minutes": "0", "hours": "*"})


def test_the_text_says_what_the_status_says() -> None:
    finding = rules.W502.finding("no worker")
    cron = (CronStatus(ROW, CronRecord(last_success=1234.5), datetime.now(UTC)),)
    status = Status(100.0, (), (QueueStatus(STATE, 2, 1, (2,)),), (), (finding, finding), cron)
    found = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(prometheus_text(status))
        for sample in family.samples
    }
    queue = ("queue", HOSTILE)
    assert found["dlq_queue_jobs", (queue, ("state", "waiting"))] == 3
    assert found["dlq_queue_jobs", (queue, ("state", "failed"))] == 2
    assert found["dlq_queue_oldest_job_seconds", (queue,)] == 10
    assert found["dlq_queue_paused", (queue,)] == 1
    assert found["dlq_workers", (queue, ("state", "alive"))] == 1
    assert found["dlq_findings", (("id", "dlq.W502"), ("level", "warning"))] == 2
    [success] = [v for (name, _), v in found.items() if "last_success" in name]
    assert success == 1234.5


def test_nothing_is_still_valid() -> None:
    assert list(text_string_to_metric_families(prometheus_text(Status(0.0, (), (), (), ()))))
