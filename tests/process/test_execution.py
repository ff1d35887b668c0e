"""One job's run, without any process around it."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Any

import pytest

from dlq.errors import UnknownTask
from dlq.execution import run_job as execution
from dlq.execution.describe import TRACEBACK_LIMIT
from dlq.execution.run_job import Hooks, Result, run_job
from dlq.job import Job
from dlq.middleware.logging import LoggingMiddleware
from dlq.types import QueueName, WorkerNumber
from tests.process import sample_tasks

QUEUE, NUMBER = QueueName("emails"), WorkerNumber(2)
LOGGER = logging.getLogger("tests.execution")

# Jobs are atomic. Where an earlier test has left a connection open, their transaction begins on it.
pytestmark = pytest.mark.django_db


def run(name: str, *args: Any, middleware: tuple[Any, ...] = ()) -> Result:
    job = Job(f"{sample_tasks.__name__}.{name}", args, {})
    return run_job(job, QUEUE, NUMBER, Hooks(middleware, LOGGER))


def test_the_value_of_the_function_is_the_result() -> None:
    result = run("double", 21)
    assert result.failure is None
    assert (result.succeeded, result.value) == (True, 42)
    assert 0 <= result.time_taken < 1


def test_a_coroutine_is_awaited() -> None:
    assert run("double_later", 21).value == 42


def test_what_raises_is_a_failure_with_the_tasks_own_traceback() -> None:
    result = run("fail", "no such order")
    failure = result.failure
    assert failure is not None
    assert isinstance(result.exception, ValueError)
    assert (failure.kind, failure.reason) == ("raised", "ValueError: no such order")
    assert failure.worker == "emails/2"
    assert "in fail" in failure.traceback
    assert execution.__file__ not in failure.traceback


@pytest.mark.parametrize("name", ["leave", "interrupt", "stop_everything"])
def test_what_would_end_the_process_is_a_failure(name: str) -> None:
    result = run(name)
    assert result.failure is not None
    assert result.failure.kind == "exit"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("tests.process.sample_tasks.gone", "has no 'gone'"),
        ("tests.process.sample_tasks.plain", "not made by @task"),
        ("os.system", "not made by @task"),
        ("this.d", "TASK_MODULES"),
        ("", "TASK_MODULES"),
    ],
)
def test_what_is_no_task_is_not_run(path: str, reason: str) -> None:
    seen: list[Any] = []

    class Watcher:
        def process_exception(self, job: Job, time_taken: float, *exc_info: Any) -> None:
            seen.append(exc_info[1])

    result = run_job(Job(path, [], {}), QUEUE, NUMBER, Hooks([Watcher()], LOGGER))
    assert result.failure is not None
    assert result.failure.kind == "unknown"
    assert reason in result.failure.reason
    assert [type(error) for error in seen] == [UnknownTask]
    assert "this" not in sys.modules


def test_an_unknown_task_that_a_task_meets_is_its_own_failure() -> None:
    result = run("meets_unknown_task")
    assert result.failure is not None
    assert result.failure.kind == "raised"


def test_wrong_arguments_are_a_failure() -> None:
    result = run("double", 1, 2, 3)
    assert result.failure is not None
    assert result.failure.reason.startswith("TypeError: double()")


def test_hostile_text_is_escaped_and_cut() -> None:
    result = run("fail", "\x1b[2J\u202e" + "x" * 100_000)
    assert result.failure is not None
    assert result.failure.reason.startswith("ValueError: \\x1b[2J\\u202e")
    assert len(result.failure.reason) <= 500
    assert len(result.failure.traceback) <= TRACEBACK_LIMIT * 1.1
    assert "\x1b" not in result.failure.traceback


def test_an_exception_that_cannot_be_shown_is_still_a_failure() -> None:
    result = run("fail_unshowably")
    assert result.failure is not None
    assert result.failure.reason.startswith("Unshowable")


def test_middleware_is_called_in_order_and_back() -> None:
    calls: list[tuple[str, str, Any]] = []

    def middleware(name: str) -> object:
        class Middleware:
            def process_job(self, job: Job, queue: QueueName, worker_num: WorkerNumber) -> None:
                calls.append((name, "job", (queue, worker_num)))

            def process_result(self, job: Job, result: Any, time_taken: float) -> None:
                calls.append((name, "result", result))

            def process_exception(self, job: Job, time_taken: float, *exc_info: Any) -> None:
                calls.append((name, "exception", exc_info[0]))

        return Middleware()

    both = (middleware("a"), middleware("b"))
    run("double", 1, middleware=both)
    run("fail", "x", middleware=both)
    arguments = ("emails", 2)
    assert calls == [
        ("a", "job", arguments),
        ("b", "job", arguments),
        ("b", "result", 2),
        ("a", "result", 2),
        ("a", "job", arguments),
        ("b", "job", arguments),
        ("b", "exception", ValueError),
        ("a", "exception", ValueError),
    ]


@pytest.mark.parametrize("hook", ["process_job", "process_result", "process_exception"])
@pytest.mark.parametrize(("task", "argument"), [("double", 4), ("fail", "x")])
def test_middleware_that_raises_changes_nothing(
    hook: str, task: str, argument: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def raises(*args: Any) -> None:
        raise RuntimeError("broken middleware")

    called: list[str] = []

    class Other:
        def process_job(self, *args: Any) -> None:
            called.append("process_job")

        def process_result(self, *args: Any) -> None:
            called.append("process_result")

        def process_exception(self, *args: Any) -> None:
            called.append("process_exception")

    broken = type("Broken", (), {hook: staticmethod(raises)})()
    result = run(task, argument, middleware=(broken, Other(), broken))
    assert result.succeeded is (task == "double")
    applies = {
        "process_job": True,
        "process_result": task == "double",
        "process_exception": task == "fail",
    }[hook]
    logged = [r for r in caplog.records if getattr(r, "action", "") == "middleware_raised"]
    assert len(logged) == (2 if applies else 0)
    assert called == ["process_job", "process_result" if task == "double" else "process_exception"]


def test_the_log_has_no_arguments_and_no_control_characters(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    middleware: Callable[[], object] = LoggingMiddleware
    run("double", 424242, middleware=(middleware(),))
    run("fail", "secret\x1b[2J", middleware=(middleware(),))
    formatter = logging.Formatter()
    lines = [formatter.format(record) for record in caplog.records]
    assert [getattr(r, "action", None) for r in caplog.records] == [
        "job_started",
        "job_finished",
        "job_started",
        "job_failed",
    ]
    assert "424242" not in "".join(lines)
    assert "\x1b" not in "".join(lines)
    assert "ValueError: secret\\x1b[2J" in lines[-1]
