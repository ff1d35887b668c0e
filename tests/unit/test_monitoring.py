"""Rates, running jobs and limits: what a status says of many runners together."""

from __future__ import annotations

from dlq.backends.state import QueueActivity, QueueState, RunnerState, RunningJob
from dlq.operations.monitoring.limits import Limits, judge_limits
from dlq.operations.monitoring.rates import by_queue, empty_in, per_minute, total
from dlq.operations.status import QueueStatus, Status, status_json
from dlq.types import QueueName, Runner
from dlq.web.rows import hour_bars


def runner(nonce: str, host: str) -> Runner:
    return Runner(nonce, host, "", 1, 0.0, "4db02050", 1, 2, False, False, "shop.settings", "5")


def queue(name: str, **state: object) -> QueueStatus:
    fields = {"waiting": 0, "in_hand": 0, "failed": 0, "delayed": 0, "oldest": None}
    made = QueueState(QueueName(name), **{**fields, "paused_until": None, "owners": (), **state})  # type: ignore[arg-type]  # values by name
    return QueueStatus(made, 1, 1)


def test_several_runners_are_summed_up_by_queue() -> None:
    web_1 = RunnerState(
        runner("a0", "web-1"),
        1.0,
        ("emails/1", "orders:eu/3"),
        1,
        (RunningJob("emails/1", "shop.send", 7, 50.0, None),),
        {"emails": QueueActivity(10, 2, 40, 5, (1, 2))},
    )
    web_2 = RunnerState(
        runner("b1", "web-2"),
        1.0,
        ("emails/2",),
        1,
        (RunningJob("emails/2", "shop.send", 8, 20.0, 60.0),),
        {"emails": QueueActivity(5, 0, 20, 0, (4, 5, 6))},
    )
    found = by_queue([web_1, web_2])
    assert found["emails"].numbers == {1, 2}
    assert found["orders:eu"].numbers == {3}
    assert found["emails"].activity == QueueActivity(15, 2, 60, 5, (4, 6, 8))
    assert [each.runner.host for each in found["emails"].running] == ["web-2", "web-1"]


def test_the_rate_of_five_minutes_where_the_last_one_was_quiet() -> None:
    assert per_minute(QueueActivity(17, 3, 17, 3)) == 20
    assert per_minute(QueueActivity(0, 0, 10, 5)) == 3
    assert empty_in(40, QueueActivity(17, 3)) == 120
    assert empty_in(40, QueueActivity()) is None
    assert empty_in(0, QueueActivity(17, 3)) is None
    assert total([]) == QueueActivity()


def test_a_finding_for_each_limit_and_the_next_command() -> None:
    queues = (
        queue("emails", waiting=1204, oldest=100.0, paused_until=900.0),
        queue("images", waiting=7, oldest=690.0, failed=3),
        queue("reports"),
    )
    status = Status(700.0, (), queues, (), ())
    assert list(judge_limits(status, Limits())) == []
    late, full, failed = judge_limits(status, Limits(300.0, 5, 0))
    assert {finding.id for finding in (late, full, failed)} == {"dlq.W536"}
    assert late.message == "1 queue has a job that has waited longer than 5 min: emails (10 min)"
    assert late.help == "it is paused: dlq resume emails"
    assert full.message == "2 queues have more than 5 waiting jobs: emails (1204), images (7)"
    assert failed.help == "dlq failed list --by-error"


def test_the_document_has_rates_and_running_jobs() -> None:
    job = RunningJob("emails/1", "shop.send", 7, 50.0, None)
    [seen] = by_queue([RunnerState(runner("a0", "web-1"), 1.0, (), 1, (job,))]).values()
    found = queue("emails", waiting=20)._replace(
        activity=QueueActivity(10, 0, 10, 0, (3,)), running=seen.running
    )
    [shown] = status_json(Status(60.0, (), (found,), (), ()))["queues"]
    assert shown["activity"]["empty_in"] == 120.0
    assert shown["activity"]["hour"] == [3]
    assert shown["running"] == [
        {
            "task": "shop.send",
            "worker": "emails/1",
            "host": "web-1",
            "machine": 1,
            "pid": 7,
            "since": "1970-01-01T00:00:50Z",
            "timeout": None,
        }
    ]


def test_the_bars_of_the_last_hour_end_at_the_right_edge() -> None:
    bars = hour_bars((5, 10))
    assert [(bar.x, bar.y, bar.height) for bar in bars] == [(40, 6.0, 6.0), (44, 0.0, 12.0)]
    assert hour_bars((0, 0)) == ()
