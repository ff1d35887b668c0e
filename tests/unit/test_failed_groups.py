"""Failures with one cause are one group, whatever differs between two of them."""

from __future__ import annotations

import pytest

from dlq.backends.state import FailedJob
from dlq.job import Job, encode
from dlq.jobs.failure import Failure
from dlq.operations.failed_groups import error_of, group_failed, group_id
from dlq.types import QueueName


def failed(reason: str, task: str = "shop.confirm", at: float = 0.0, queue: str = "q") -> FailedJob:
    raw = encode(Job(task, (), {}))
    return FailedJob(f"{at:g}", QueueName(queue), raw, Failure("raised", reason), at)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("KeyError: 81", "KeyError: 7"),
        ("DoesNotExist: no order 'A-1'", "DoesNotExist: no order 'B-2'"),
        ('ValueError: "x" is wrong', 'ValueError: "yy" is wrong'),
        ("RuntimeError: <Order at 0x7f12ab>", "RuntimeError: <Order at 0x1122>"),
        (
            "Gone: 123e4567-e89b-12d3-a456-426614174000",
            "Gone: 99999999-e89b-12d3-a456-426614174999",
        ),
        ("Timeout: request deadbeef0123", "Timeout: request 0123cafe4567"),
        ("E: first line\nsecond 1", "E: first line\nanother"),
    ],
)
def test_what_changes_from_job_to_job_makes_no_new_group(one: str, other: str) -> None:
    assert group_id(failed(one)) == group_id(failed(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (failed("KeyError: 1"), failed("ValueError: 1")),
        (failed("KeyError: 1"), failed("KeyError: 1", task="shop.other")),
        (failed("facade"), failed("decade")),
    ],
)
def test_other_errors_and_other_tasks_are_other_groups(one: FailedJob, other: FailedJob) -> None:
    assert group_id(one) != group_id(other)


def test_groups_have_counts_times_and_queues() -> None:
    jobs = [
        failed("KeyError: 1", at=30),
        failed("ValueError", at=20),
        failed("KeyError: 2", at=10, queue="other"),
    ]
    groups = group_failed(jobs)
    assert [(g.error, g.jobs, g.first, g.last) for g in groups] == [
        ("KeyError: N", 2, 10, 30),
        ("ValueError", 1, 20, 20),
    ]
    assert groups[0].queues == ("other", "q")
    assert groups[0].newest == "30"


def test_a_hostile_error_takes_no_time_and_stays_short() -> None:
    assert len(error_of(failed("'" * 100_000))) <= 300
