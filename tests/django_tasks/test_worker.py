"""What workers make of tasks of the framework: results, attempts, no task that runs for ever."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from dlq import runtime
from dlq.backends.redis_storage.storage import RedisStorage
from dlq.errors import TimedOut, UnknownTask, WorkerDied
from tests.django_tasks.conftest import QUEUE
from tests.kit.runner import Runner
from tests.kit.waiting import wait_until

Run = Callable[..., Runner]
AT_MOST_ONCE = "dlq.backends.redis.RedisBackend"


def finished(result: Any, limit: float = 15) -> Any:
    def is_finished() -> bool:
        result.refresh()
        return bool(result.is_finished)

    wait_until(is_finished, limit, what=f"{result} is finished")
    return result


def is_running(result: Any) -> bool:
    result.refresh()
    return str(result.status.value) == "RUNNING"


def storage() -> RedisStorage:
    backend = runtime.current().backend(QUEUE)
    assert isinstance(backend, RedisStorage)
    return backend


def test_results(tasks: Any, run: Run) -> None:
    results = {
        "sum": tasks.add.enqueue(1, 2),
        "async": tasks.add_async.enqueue(3, b=4),
        "context": tasks.attempt.enqueue(),
        "odd": tasks.fail.enqueue(),
        "value": tasks.unserializable.enqueue(),
    }
    runner = run()
    for result in results.values():
        finished(result)
    assert results["sum"].return_value == 3
    assert results["async"].return_value == 7
    assert results["context"].return_value == [1, results["context"].id]
    sum_ = results["sum"]
    assert sum_.enqueued_at <= sum_.started_at <= sum_.finished_at
    assert (sum_.attempts, sum_.worker_ids) == (1, ["framework/1"])
    assert storage().client.ttl(storage().keys.result(sum_.id)) == pytest.approx(600, abs=20)
    (error,) = results["odd"].errors
    assert error.exception_class is tasks.OddError
    assert error.traceback.endswith("OddError: 1 and 2\n")
    assert results["value"].status == "FAILED"
    assert results["value"].errors[0].exception_class is TypeError
    assert storage().failed_count(QUEUE) == 1, "the job of the odd one; the other is done"
    assert runner.output.count("is a failed job") == 1


def test_an_attempt_that_is_not_the_last_is_ready_again(tasks: Any, run: Run) -> None:
    result = tasks.fail_twice.enqueue(1)
    run(workers={"framework": 1, "framework-retried": 1})
    finished(result)
    assert (result.status, result.attempts) == ("FAILED", 2)
    assert [error.exception_class for error in result.errors] == [ValueError, ValueError]
    assert result.last_attempted_at > result.started_at


def test_a_failed_job_that_is_retried_has_the_same_result(tasks: Any, run: Run) -> None:
    result = tasks.fail.enqueue()
    run()
    finished(result)
    wait_until(lambda: storage().failed_count(QUEUE) == 1, what="its job is a failed job")
    (failed,) = storage().failed_jobs(QUEUE)
    storage().retry_failed(QUEUE, [failed.id])
    wait_until(lambda: finished(result).attempts == 2, what="it has run again")
    assert len(result.errors) == 2


@pytest.mark.parametrize("backend", [None, AT_MOST_ONCE])
def test_a_killed_task_never_runs_for_ever(tasks: Any, run: Run, backend: str | None) -> None:
    more: dict[str, Any] = {}
    if backend:
        more["backend_overrides"] = {"framework": backend}
    result = tasks.slow.enqueue(1, 60)
    runner = run(max_crashes=2, **more)
    for attempt in range(1 if backend else 2):
        started = attempt + 1
        wait_until(
            lambda started=started: len(runner.ledger.jobs("start")) == started,  # type: ignore[misc]
            what="it runs",
        )
        wait_until(lambda: is_running(result), what="its result says so")
        os.kill(runner.worker_pid("framework/1"), signal.SIGKILL)
        wait_until(
            lambda started=started: runner.output.count("/1 | started") > started,  # type: ignore[misc]
            what="the worker is started again",
        )
    finished(result)
    assert result.status == "FAILED"
    assert result.errors[-1].exception_class is WorkerDied


def test_a_task_over_its_time_has_timed_out(tasks: Any, run: Run) -> None:
    result = tasks.careful.enqueue(30)
    run()
    finished(result)
    assert result.status == "FAILED"
    assert result.errors[0].exception_class is TimedOut


def test_a_task_that_is_gone_is_unknown(tasks: Any, run: Run) -> None:
    result = tasks.add.enqueue(1, 2)
    keys = storage().keys
    raw = storage().client.rpop(keys.queue(QUEUE))
    assert isinstance(raw, bytes)
    storage().client.lpush(keys.queue(QUEUE), raw.replace(b"tasks.add", b"tasks.gone"))
    run()
    finished(result)
    assert result.errors[0].exception_class is UnknownTask


def test_a_runner_that_is_stopped_leaves_no_running_task(tasks: Any, run: Run) -> None:
    result = tasks.careful.enqueue(60)
    runner = run()
    wait_until(lambda: runner.ledger.jobs("start") == ["60"], what="it runs")
    assert runner.stop(15) == 0
    finished(result)
    assert result.errors[0].exception_class is TimedOut


def test_tasks_without_results_leave_nothing_on_the_server(tasks: Any, run: Run) -> None:
    tasks.forget.enqueue(1)
    runner = run()
    wait_until(lambda: runner.ledger.jobs("start") == ["1"], what="it has run")
    assert list(storage().client.scan_iter(f"{storage().keys.result('')}*")) == []
