"""What the backend does where a call is made: checks, records, placement, declarations."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.test import override_settings

from dlq import runtime
from dlq.backends.base import BaseBackend
from dlq.backends.redis_storage.storage import RedisStorage
from dlq.django_tasks import DlqBackend
from dlq.django_tasks.framework import (
    InvalidTask,
    TaskResultDoesNotExist,
    TaskResultStatus,
    task_enqueued,
    task_finished,
    task_started,
)
from dlq.errors import EnqueueError
from dlq.job import decode
from dlq.jobs.declarations import declarations
from tests.django_tasks.conftest import QUEUE
from tests.kit.valkey import Server
from tests.project.framework import settings as project


def storage() -> RedisStorage:
    backend: BaseBackend = runtime.current().backend(QUEUE)
    assert isinstance(backend, RedisStorage)
    return backend


def stored() -> list[Any]:
    """The waiting jobs, the next one first."""
    raws = cast("list[bytes]", storage().client.lrange(storage().keys.queue(QUEUE), 0, -1))
    return [decode(raw) for raw in reversed(raws)]


def test_a_call_is_a_job_with_the_id_of_its_result(tasks: Any) -> None:
    result = tasks.add.enqueue(1, b=2)
    (job,) = stored()
    assert job.path == tasks.add.module_path == "tests.project.framework.tasks.add"
    assert job.args == [1]
    assert job.kwargs == {"b": 2, "django_lightweight_queue_task": result.id}
    assert set(job.as_dict()) == {
        *("path", "args", "kwargs", "timeout", "sigkill_on_stop", "created_time")
    }
    again = tasks.add.get_result(result.id)
    assert again.status == TaskResultStatus.READY
    assert (again.args, again.kwargs, again.backend) == ([1], {"b": 2}, "default")
    assert again.task == tasks.add
    assert again.enqueued_at is not None
    assert abs((datetime.now(UTC) - again.enqueued_at).total_seconds()) < 5
    assert again.attempts == 0
    seconds = storage().client.ttl(storage().keys.result(result.id))
    assert seconds == pytest.approx(7 * 86400, abs=5)


def test_its_queue_is_declared_with_the_line_of_the_decorator(tasks: Any) -> None:
    noted = {each.task: each for each in declarations()}
    declared = noted["tests.project.framework.tasks.add"]
    assert declared.queue == QUEUE
    assert declared.source.file == tasks.__file__
    with open(tasks.__file__) as file:
        lines = file.read().splitlines()
    assert declared.source.line is not None
    assert lines[declared.source.line - 1].startswith("@task(queue_name=")
    count = len(declarations())
    tasks.add.using(queue_name="elsewhere")
    assert len(declarations()) == count, "what a call chooses is no declaration"
    assert noted["tests.project.framework.tasks.fail_twice"].retries == 1


def test_a_task_can_be_put_off(tasks: Any) -> None:
    when = datetime.now(UTC) + timedelta(hours=1)
    result = tasks.add.using(run_after=when).enqueue(1, 2)
    assert stored() == []
    (delayed,) = storage().delayed_jobs(QUEUE)
    assert delayed.due == pytest.approx(when.timestamp(), abs=0.01)
    assert tasks.add.get_result(result.id).task.run_after == when
    seconds = storage().client.ttl(storage().keys.result(result.id))
    assert seconds == pytest.approx(7 * 86400 + 3600, abs=5)
    with pytest.raises(InvalidTask, match="more than a year"):
        tasks.add.using(run_after=datetime.now(UTC) + timedelta(days=400)).enqueue(1, 2)
    tasks.add.using(run_after=datetime.now(UTC) - timedelta(days=1)).enqueue(3, 4)
    assert [job.args for job in stored()] == [[3, 4]]


def test_a_priority_above_0_goes_to_the_front(tasks: Any) -> None:
    for number, priority in ((1, 0), (2, -5), (3, 1), (4, 100)):
        tasks.add.using(priority=priority).enqueue(number, 0)
    assert [job.args[0] for job in stored()] == [4, 3, 1, 2]
    with pytest.raises(InvalidTask):
        tasks.add.using(priority=101)


def test_results_are_kept_where_the_options_say_so(tasks: Any) -> None:
    result = tasks.forget.enqueue(1)
    assert not tasks.forget.get_backend().supports_get_result
    with pytest.raises(NotImplementedError):
        tasks.forget.get_result(result.id)
    assert storage().read_result(result.id) is None
    with pytest.raises(TaskResultDoesNotExist):
        tasks.add.get_result("x" * 32)


def test_a_unique_task_gives_the_result_of_the_one_that_waits(tasks: Any) -> None:
    first = tasks.careful.enqueue(0)
    assert tasks.careful.enqueue(0).id == first.id
    assert tasks.careful.enqueue(1).id != first.id
    assert len(stored()) == 2
    assert [job.timeout for job in stored()] == [1, 1]


@pytest.mark.django_db(transaction=True)
def test_on_commit_waits_for_the_commit(tasks: Any) -> None:
    with transaction.atomic():
        tasks.add.enqueue(1, 2)
        result = tasks.patient.enqueue(1)
        assert result.status == TaskResultStatus.READY
        assert len(stored()) == 1, "enqueue means now, unless the options say otherwise"
    assert len(stored()) == 2
    assert tasks.patient.get_result(result.id).status == TaskResultStatus.READY
    with suppress(KeyError), transaction.atomic():
        tasks.patient.enqueue(2)
        raise KeyError
    assert len(stored()) == 2


def test_what_json_cannot_carry_is_a_type_error(tasks: Any) -> None:
    with pytest.raises(TypeError):
        tasks.add.enqueue(object(), 1)
    assert stored() == []


def test_a_server_that_is_away_is_an_enqueue_error(tasks: Any) -> None:
    with override_settings(LIGHTWEIGHT_QUEUE_REDIS_PORT=1), pytest.raises(EnqueueError):
        tasks.add.enqueue(1, 2)


def test_signals_are_sent_and_the_synchronous_backend_runs_at_once(tasks: Any) -> None:
    seen: list[tuple[str, str]] = []

    def enqueued(sender: type, task_result: Any, **_: Any) -> None:
        seen.append(("enqueued", task_result.status))

    def started(sender: type, task_result: Any, **_: Any) -> None:
        seen.append(("started", task_result.status))

    def finished(sender: type, task_result: Any, **_: Any) -> None:
        assert sender is DlqBackend
        seen.append(("finished", task_result.status))

    for signal, receiver in (
        (task_enqueued, enqueued),
        (task_started, started),
        (task_finished, finished),
    ):
        signal.connect(receiver)
    try:
        tasks.add.enqueue(1, 2)
        assert seen == [("enqueued", "READY")]
        with override_settings(
            LIGHTWEIGHT_QUEUE_BACKEND="dlq.backends.synchronous.SynchronousBackend",
            LIGHTWEIGHT_QUEUE_ATOMIC_JOBS=False,
        ):
            result = tasks.add.enqueue(1, 2)
            assert (result.status, result.return_value) == ("SUCCESSFUL", 3)
            failed = tasks.fail.enqueue()
            assert failed.status == "FAILED"
            assert failed.errors[0].exception_class is tasks.OddError
            assert tasks.add_async.enqueue(2, 3).return_value == 5
            attempt = tasks.attempt.enqueue()
            assert attempt.return_value == [1, attempt.id]
            assert tasks.unserializable.enqueue().status == "FAILED"
        assert seen[1:4] == [
            ("enqueued", "READY"),
            ("started", "RUNNING"),
            ("finished", "SUCCESSFUL"),
        ]
    finally:
        for signal, receiver in (
            (task_enqueued, enqueued),
            (task_started, started),
            (task_finished, finished),
        ):
            signal.disconnect(receiver)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"result": 1}, "has the key 'result': its keys are defaults, on_commit, results"),
        ({"results": -1}, "give a number of seconds"),
        ({"results": 10**400}, "give a number of seconds"),
        ({"defaults": {"queue": "x"}}, "give a dict with some of timeout"),
        ({"defaults": {"timeout": "1"}}, "timeout is '1': give a number"),
        ({"defaults": {"retries": 10**6}}, "retries is 1000000: give a whole number"),
    ],
)
def test_options_are_checked(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=message):
        DlqBackend("default", {"OPTIONS": options})


class TestSystemChecks:
    """E506, E507, W508, W509, W510, W511."""

    def ids(self, backend: str = project.BACKEND, **options: Any) -> set[str]:
        tasks = {"default": {"BACKEND": backend, "QUEUES": ["framework"], "OPTIONS": options}}
        with override_settings(TASKS=tasks):
            from importlib import import_module

            from dlq.django_tasks.framework import PACKAGE

            found = import_module(f"{PACKAGE}.checks").check_tasks()
            return {str(message.id) for message in found}

    def test_nothing_is_wrong(self, tasks: Any) -> None:
        assert self.ids(results=600) == set()
        assert run_checks(tags=["dlq"]) is not None

    def test_dlq_is_not_installed(self, tasks: Any) -> None:
        apps = [app for app in project.INSTALLED_APPS if app != "dlq"]
        with override_settings(INSTALLED_APPS=apps):
            assert self.ids() == {"dlq.E506"}

    def test_a_backend_without_results(self, tasks: Any) -> None:
        spool = "tests.project.faults.spool.SpoolBackend"
        with override_settings(LIGHTWEIGHT_QUEUE_BACKEND_OVERRIDES={"framework": spool}):
            assert self.ids(results=600) == {"dlq.E507"}
            assert self.ids() == set()

    def test_the_synchronous_backend(self, tasks: Any) -> None:
        synchronous = "dlq.backends.synchronous.SynchronousBackend"
        with override_settings(LIGHTWEIGHT_QUEUE_BACKEND_OVERRIDES={"framework": synchronous}):
            assert self.ids() == {"dlq.W508"}

    def test_a_queue_without_workers(self, tasks: Any) -> None:
        with override_settings(LIGHTWEIGHT_QUEUE_WORKERS={"framework": 0}):
            assert self.ids() == {"dlq.W509"}

    def test_results_kept_too_briefly(self, tasks: Any) -> None:
        assert self.ids(results=10, defaults={"timeout": 60}) == {"dlq.W510"}

    def test_atomic_requests(self, tasks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        from django.db import connections

        monkeypatch.setitem(connections["default"].settings_dict, "ATOMIC_REQUESTS", True)
        assert self.ids() == {"dlq.W511"}
        assert self.ids(on_commit=True) == set()


def test_enqueueing_and_its_record_are_one_round_trip(tasks: Any, server: Server) -> None:
    tasks.add.enqueue(0, 0)
    with server.client() as client:
        client.config_resetstat()
        began = time.monotonic()
        for number in range(20):
            tasks.add.enqueue(number, 0)
        assert time.monotonic() - began < 10
        stats = client.info("commandstats")
    assert stats["cmdstat_evalsha"]["calls"] == 20
