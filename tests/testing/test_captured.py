"""What tests of users rely on: captured jobs, comparisons, runs, commits, the framework's tasks."""

from __future__ import annotations

import subprocess
import sys
import unittest
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import TestCase, override_settings

from dlq import task
from dlq.testing import CapturedJobs, DlqTestMixin, captured_jobs
from tests.project.framework import settings as project

ran: list[Any] = []


@task(queue="emails", unique=60)
def mail(address: str, *, subject: str = "hello") -> None:
    ran.append((address, subject))


@task()
def chain(number: int) -> None:
    ran.append(number)
    if number:
        chain(number - 1)
        transaction.on_commit(lambda: mail(f"{number}@example.com"))


@task(retries=2)
def shaky(times: int) -> None:
    ran.append("try")
    if ran.count("try") < times:
        raise ValueError("not yet")


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    ran.clear()
    with override_settings(LIGHTWEIGHT_QUEUE_ATOMIC_JOBS=False):
        yield


def test_calls_are_captured_as_bytes(dlq_jobs: CapturedJobs) -> None:
    values = [1]
    chain(0)
    mail.using(queue="slow", delay=60)("a@example.com", subject="x")
    assert ran == []
    first, second = dlq_jobs
    assert (first.path, first.args, first.queue, first.delay) == (chain.path, [0], "default", None)
    assert (second.kwargs, second.queue, second.delay) == ({"subject": "x"}, "slow", 60)
    assert first.job.raw is not None
    assert len(dlq_jobs) == 2
    dlq_jobs.clear()
    assert list(dlq_jobs) == []
    assert values == [1]


def test_assertions_bind_arguments_as_the_function_does(dlq_jobs: CapturedJobs) -> None:
    mail("a@example.com")
    dlq_jobs.assert_enqueued(mail)
    dlq_jobs.assert_enqueued(mail, "a@example.com", subject="hello", queue="emails", times=1)
    dlq_jobs.assert_enqueued(mail, address="a@example.com")
    dlq_jobs.refute_enqueued(mail, "b@example.com")
    dlq_jobs.refute_enqueued(chain)
    dlq_jobs.refute_enqueued(mail, queue="other")
    with pytest.raises(TypeError):
        dlq_jobs.assert_enqueued(mail, "a", "b")
    with pytest.raises(TypeError, match="is not a task"):
        dlq_jobs.assert_enqueued(print)


def test_a_failed_assertion_shows_what_was_enqueued_the_nearest_first(
    dlq_jobs: CapturedJobs,
) -> None:
    chain(1)
    mail("b@example.com")
    for number in range(20):
        chain(number)
    with pytest.raises(AssertionError) as caught:
        dlq_jobs.assert_enqueued(mail, "a@example.com", times=1)
    lines = str(caught.value).splitlines()
    assert lines[0].endswith(
        "mail('a@example.com') was not enqueued 1 times, but 0 times. Enqueued, the nearest first:"
    )
    assert "mail('b@example.com') on queue emails" in lines[1]
    assert lines[-1] == "  … and 12 more"
    with pytest.raises(AssertionError, match=r"was enqueued\. Enqueued, the nearest first"):
        dlq_jobs.refute_enqueued(mail, "b@example.com")


def test_delays_are_compared(dlq_jobs: CapturedJobs) -> None:
    chain.using(delay=60)(1)
    chain.using(at=datetime.now(UTC) + timedelta(seconds=90))(2)
    dlq_jobs.assert_enqueued(chain, 1, delay=60)
    dlq_jobs.assert_enqueued(chain, 2, delay=90)
    dlq_jobs.refute_enqueued(chain, 1, delay=0)


def test_unique_jobs_wait_once(dlq_jobs: CapturedJobs) -> None:
    assert mail("a")
    assert not mail("a")
    assert mail.using(unique_key="k")("a")
    assert len(dlq_jobs) == 2
    dlq_jobs.run()
    assert mail("a")


@pytest.mark.django_db
def test_run_drains_oldest_first_and_delayed_ones_by_their_time(dlq_jobs: CapturedJobs) -> None:
    chain.using(delay=60)(0)
    chain.using(delay=30)(0)
    mail("late@example.com")
    chain(2)
    assert dlq_jobs.run() == 8
    assert ran[:2] == [("late@example.com", "hello"), 2]
    assert ran[-2:] == [0, 0]


def test_run_raises_the_first_failure_and_can_retry(dlq_jobs: CapturedJobs) -> None:
    shaky(3)
    with pytest.raises(ValueError, match="not yet"):
        dlq_jobs.run()
    ran.clear()
    shaky(3)
    assert dlq_jobs.run(retries=True) == 3
    ran.clear()
    shaky(9)
    with pytest.raises(ValueError, match="not yet"):
        dlq_jobs.run(retries=True)
    assert ran == ["try"] * 3


def test_bulk_and_json_round_trip(dlq_jobs: CapturedJobs) -> None:
    with mail.bulk_enqueue() as enqueue:
        for number in (1, 2, 2):
            enqueue(f"{number}")
    assert enqueue.stored == 2
    dlq_jobs.run()
    assert ran == [("1", "hello"), ("2", "hello")]


@pytest.mark.django_db
def test_what_waits_for_a_commit_runs_at_the_end_of_the_block() -> None:
    with captured_jobs() as jobs:
        chain.on_commit(0)
        transaction.on_commit(lambda: ran.append("mine"))
        assert ran == []
    assert ran == ["mine"]
    jobs.assert_enqueued(chain, 0)


@pytest.mark.django_db
def test_a_transaction_that_is_open_keeps_its_jobs(dlq_jobs: CapturedJobs) -> None:
    with transaction.atomic():
        chain.on_commit(1)
        assert len(dlq_jobs) == 0
    assert len(dlq_jobs) == 1
    with suppress(KeyError), transaction.atomic():
        chain.on_commit(2)
        raise KeyError
    assert len(dlq_jobs) == 1


class OrderTest(DlqTestMixin, TestCase):
    def test_jobs_run_in_the_transaction_of_the_test(self) -> None:
        User.objects.create(username="x")
        chain.on_commit(1)
        self.assert_enqueued(chain, 1)
        self.refute_enqueued(mail)
        assert self.run_jobs() == 3
        self.assert_enqueued(mail, "1@example.com")


def test_the_mixin_is_for_unittest() -> None:
    result = unittest.TestResult()
    assert issubclass(DlqTestMixin, unittest.TestCase)
    assert result.wasSuccessful()


def test_tasks_of_the_framework_have_results(dlq_jobs: CapturedJobs) -> None:
    from importlib import import_module

    with (
        override_settings(TASKS=project.TASKS),
        override_settings(INSTALLED_APPS=project.INSTALLED_APPS),
    ):
        tasks = import_module("tests.project.framework.tasks")
        result = tasks.add_async.enqueue(1, 2)
        attempt = tasks.attempt.enqueue()
        dlq_jobs.assert_enqueued(tasks.add_async, 1, b=2, queue="framework")
        dlq_jobs.assert_enqueued(tasks.attempt)
        dlq_jobs.run()
        result.refresh()
        attempt.refresh()
        assert (result.status, result.return_value) == ("SUCCESSFUL", 3)
        assert attempt.return_value == [1, attempt.id]


def test_the_plugin_imports_nothing_of_dlq_until_it_is_used() -> None:
    code = (
        "import sys, dlq.testing.pytest_plugin\n"
        "print(sorted(name for name in sys.modules if name.split('.')[0] in ('dlq', 'django')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "['dlq', 'dlq.testing', 'dlq.testing.pytest_plugin']"
