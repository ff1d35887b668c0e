"""Tasks: declared, called, enqueued in bulk or at commit, with options at call time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import override_settings

from dlq import TaskWrapper, contribute_implied_queue_name, task
from dlq.errors import UnfindableTask, UnusableArgument, UnusableTask
from dlq.job import encode
from dlq.jobs import declarations as queues
from dlq.types import QueueName
from tests.unit import recording


@task()
def plain(order_id: int, *, subject: str = "") -> int:
    """Confirms an order."""
    return order_id


@task("emails", 30, True, False)
def full(*values: Any) -> None: ...


@task(atomic=True, timeout=2.5)
def quick() -> None: ...


@task
def bare(order_id: int) -> int:
    return order_id


@task()
def shapes(a: int, b: int, /, c: int, d: int = 4, *, e: int, f: int = 6) -> None: ...


@task()
def anything(a: int, *more: int, **named: int) -> None: ...


def replaced() -> None: ...


kept_elsewhere = task()(replaced)


@pytest.fixture(autouse=True)
def _recording() -> Iterator[None]:
    recording.calls.clear()
    with override_settings(LIGHTWEIGHT_QUEUE_BACKEND=recording.PATH):
        yield


def sent() -> list[tuple[str, Any]]:
    return [(queue, job.args) for queue, jobs in recording.calls for job in jobs]


class TestDeclaration:
    def test_keeps_what_the_function_says_of_itself(self) -> None:
        assert plain.path == f"{__name__}.plain"
        assert repr(plain) == f"<TaskWrapper: {__name__}.plain>"
        assert plain.__doc__ == "Confirms an order."
        assert plain.fn(3) == 3

    def test_has_options_by_position_as_in_4_11(self) -> None:
        assert isinstance(full, TaskWrapper)
        assert (full.queue, full.timeout, full.sigkill_on_stop, full.atomic) == (
            "emails",
            30,
            True,
            False,
        )
        assert (plain.queue, plain.timeout, plain.sigkill_on_stop) == ("default", None, False)

    def test_follows_atomic_jobs_unless_it_says_itself(self) -> None:
        with override_settings(LIGHTWEIGHT_QUEUE_ATOMIC_JOBS=True):
            assert [plain.atomic, quick.atomic, full.atomic] == [True, True, False]
        with override_settings(LIGHTWEIGHT_QUEUE_ATOMIC_JOBS=False):
            assert [plain.atomic, quick.atomic, full.atomic] == [False, True, False]

    def test_is_noted_with_the_line_of_its_decorator(self) -> None:
        noted = {each.task: each for each in queues.declarations()}
        source = noted[plain.path].source
        lines = Path(__file__).read_text().splitlines()
        assert source.file == __file__
        assert source.line == lines.index("@task()") + 1
        assert noted[full.path].queue == "emails"

    def test_a_queue_can_be_implied_without_a_task(self) -> None:
        contribute_implied_queue_name("reports")
        noted = {each.queue: each for each in queues.declarations()}
        assert noted[QueueName("reports")].task is None
        assert noted[QueueName("reports")].source.file == __file__

    def test_what_a_worker_could_not_find_is_refused(self) -> None:
        def local() -> None: ...

        class Callable:
            def __call__(self) -> None: ...

        for fn in (local, lambda: None, Callable(), Callable().__call__):
            with pytest.raises(UnfindableTask):
                task()(fn)

    def test_works_without_parentheses(self) -> None:
        assert isinstance(bare, TaskWrapper)
        assert (bare.queue, bare.fn(3)) == ("default", 3)
        noted = {each.task: each for each in queues.declarations()}
        lines = Path(__file__).read_text().splitlines()
        assert noted[bare.path].source.line == lines.index("@task") + 1
        bare(1)
        assert sent() == [("default", (1,))]

    def test_generator_functions_are_refused(self) -> None:
        namespace: dict[str, Any] = {"__name__": "shop.tasks"}
        exec("def one():\n    yield 1\nasync def two():\n    yield 1\n", namespace)
        for name in ("one", "two"):
            with pytest.raises(UnusableTask, match=f"shop.tasks.{name} cannot be a task: it is a"):
                task()(namespace[name])

    def test_a_task_that_is_not_where_it_was_declared_is_refused_at_its_call(self) -> None:
        with pytest.raises(UnfindableTask, match="keep the name replaced in"):
            kept_elsewhere()

    @pytest.mark.parametrize("timeout", ["30", -1, True, float("nan"), 1e300, 10**400])
    def test_a_timeout_is_a_number_of_seconds(self, timeout: Any) -> None:
        with pytest.raises(UnusableArgument, match=r"plain: timeout is .*: give a number"):
            task(timeout=timeout)(plain.fn)

    @pytest.mark.parametrize("options", [{"retries": n} for n in (-1, True, "3", 2000, 10**400)])
    def test_retries_are_a_whole_number(self, options: dict[str, Any]) -> None:
        with pytest.raises(UnusableArgument, match=r"plain: retries is .*: give a whole number"):
            task(**options)(plain.fn)

    @pytest.mark.parametrize("backoff", [None, "1", -1, float("inf"), 1e308, 10**400])
    def test_the_pause_before_a_retry_is_a_number_of_seconds(self, backoff: Any) -> None:
        with pytest.raises(UnusableArgument, match=r"plain: retry_backoff is .*: give a number"):
            task(retries=1, retry_backoff=backoff)(plain.fn)


class TestCall:
    def test_enqueues(self) -> None:
        plain(81, subject="x")
        ((queue, (job,)),) = recording.calls
        assert queue == "default"
        assert (job.path, job.args, job.kwargs) == (plain.path, (81,), {"subject": "x"})
        assert (job.timeout, job.sigkill_on_stop) == (None, False)

    def test_gives_the_job_the_options_of_the_task(self) -> None:
        full()
        ((queue, (job,)),) = recording.calls
        assert (queue, job.timeout, job.sigkill_on_stop) == ("emails", 30, True)

    def test_options_at_call_time_override_them(self) -> None:
        full(
            1,
            django_lightweight_queue_queue="other",
            django_lightweight_queue_timeout=None,
            django_lightweight_queue_sigkill_on_stop=False,
        )
        ((queue, (job,)),) = recording.calls
        assert (queue, job.timeout, job.sigkill_on_stop) == ("other", None, False)
        assert (job.args, job.kwargs) == ((1,), {})

    @pytest.mark.parametrize(
        "option",
        [
            {"django_lightweight_queue_queue": None},
            {"django_lightweight_queue_queue": ""},
            {"django_lightweight_queue_queue": "emails:pause"},
            {"django_lightweight_queue_queue": "two words"},
            {"django_lightweight_queue_timeout": "30"},
            {"django_lightweight_queue_timeout": -3},
            {"django_lightweight_queue_timeout": 10**400},
        ],
    )
    def test_options_at_call_time_are_checked(self, option: dict[str, Any]) -> None:
        with pytest.raises(UnusableArgument, match=r"^tests\.unit\.test_decorator\.full: django_"):
            full(**option)
        assert sent() == []

    @pytest.mark.parametrize(
        ("called", "args", "kwargs"),
        [
            (plain, (), {}),
            (plain, (1, 2), {}),
            (plain, (1,), {"subjct": "x"}),
            (plain, (1,), {"order_id": 1}),
            (plain, (), {"subject": "x"}),
            (quick, (1,), {}),
            (shapes, (1,), {"c": 3, "e": 5}),
            (shapes, (1, 2), {"e": 5}),
            (shapes, (1, 2, 3), {}),
            (shapes, (1, 2, 3), {"c": 3, "e": 5}),
            (anything, (), {"b": 1}),
            (anything, (1,), {"a": 1}),
        ],
    )
    def test_a_wrong_call_raises_as_the_function_itself_would(
        self, called: TaskWrapper[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        with pytest.raises(TypeError) as of_function:
            called.fn(*args, **kwargs)
        with pytest.raises(UnusableArgument) as of_task:
            called(*args, **kwargs)
        assert str(of_task.value) == f"{called.path}: {of_function.value}"
        assert sent() == []

    def test_what_is_only_positional_cannot_be_named(self) -> None:
        with pytest.raises(UnusableArgument, match="'b' parameter is positional only"):
            shapes(1, b=2, c=3, e=5)  # type: ignore[call-overload]
        assert sent() == []

    @pytest.mark.parametrize(
        ("called", "args", "kwargs"),
        [
            (plain, (), {"order_id": 1, "subject": "x"}),
            (shapes, (1, 2), {"c": 3, "e": 5}),
            (shapes, (1, 2, 3, 4), {"e": 5, "f": 6}),
            (anything, (1, 2, 3), {"x": 4}),
            (anything, (), {"a": 1, "b": 2}),
        ],
    )
    def test_a_right_call_is_enqueued(
        self, called: TaskWrapper[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        called.fn(*args, **kwargs)
        assert called(*args, **kwargs) is True
        assert sent() == [("default", args)]

    def test_arguments_are_checked(self) -> None:
        with pytest.raises(UnusableArgument, match=r"full: args\[0\] is of type builtins.set"):
            full({1})
        assert sent() == []

    def test_a_task_of_the_running_script_is_refused(self) -> None:
        import subprocess
        import sys

        script = (
            "from dlq import task\n"
            "@task()\n"
            "def f(): ...\n"
            "try: f()\n"
            "except Exception as error: print(type(error).__name__, error)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, timeout=60
        )
        assert done.stdout.startswith(
            "UnfindableTask f is declared in the script that is being run"
        )


class TestBulkEnqueue:
    def test_sends_batches_in_order(self) -> None:
        with full.bulk_enqueue(batch_size=2) as enqueue:
            for number in range(5):
                enqueue(number)
                assert len(recording.calls) == (number + 1) // 2
        assert [len(jobs) for _, jobs in recording.calls] == [2, 2, 1]
        assert sent() == [("emails", (number,)) for number in range(5)]

    def test_its_queue_must_have_the_name_of_a_queue(self) -> None:
        with pytest.raises(
            UnusableArgument, match=r"queue_override is 'emails:pause': it collides"
        ):
            full.bulk_enqueue(queue_override="emails:pause")

    def test_sends_nothing_for_nothing(self) -> None:
        with full.bulk_enqueue():
            pass
        assert recording.calls == []

    def test_sends_nothing_more_when_its_block_raises(self) -> None:
        with suppress(KeyError), full.bulk_enqueue(batch_size=2) as enqueue:
            for number in range(3):
                enqueue(number)
            raise KeyError
        assert sent() == [("emails", (0,)), ("emails", (1,))]

    def test_queue_override_and_the_options_of_each_call(self) -> None:
        with full.bulk_enqueue(queue_override="bulk") as enqueue:
            enqueue(1)
            enqueue(2, django_lightweight_queue_queue="own", django_lightweight_queue_timeout=7)
        assert sent() == [("bulk", (1,)), ("own", (2,))]
        assert [job.timeout for _, jobs in recording.calls for job in jobs] == [30, 7]

    def test_arguments_are_checked_at_the_call(self) -> None:
        with full.bulk_enqueue() as enqueue, pytest.raises(UnusableArgument):
            enqueue(object())

    def test_a_batch_has_a_size(self) -> None:
        with pytest.raises(ValueError, match="batch_size is 0, and must be 1 or more"):
            full.bulk_enqueue(batch_size=0)

    def test_a_call_after_the_block_is_refused(self) -> None:
        with full.bulk_enqueue() as enqueue:
            pass
        with pytest.raises(RuntimeError, match="this bulk_enqueue block has ended"):
            enqueue(1)

    def test_a_job_is_what_it_was_at_the_call(self) -> None:
        values = [1]
        with full.bulk_enqueue() as enqueue:
            enqueue(values)
            values.append(2)
        ((_, (job,)),) = recording.calls
        assert b'"args": [[1]]' in encode(job)


@pytest.mark.django_db(transaction=True)
class TestOnCommit:
    def test_waits_for_the_commit(self) -> None:
        with transaction.atomic():
            full.on_commit(1, django_lightweight_queue_queue="other")
            assert sent() == []
        assert sent() == [("other", (1,))]

    def test_is_dropped_with_its_transaction(self) -> None:
        with suppress(KeyError), transaction.atomic():
            full.on_commit(1)
            raise KeyError
        assert sent() == []

    def test_is_at_once_without_a_transaction(self) -> None:
        full.on_commit(1)
        assert sent() == [("emails", (1,))]

    def test_arguments_are_checked_at_the_call(self) -> None:
        with transaction.atomic(), pytest.raises(UnusableArgument):
            full.on_commit(object())

    def test_a_job_is_what_it_was_at_the_call(self) -> None:
        values = [1]
        with transaction.atomic():
            full.on_commit(values)
            values.append(2)
        ((_, (job,)),) = recording.calls
        assert b'"args": [[1]]' in encode(job)


@pytest.mark.django_db(transaction=True, databases=["default", "other"])
class TestOtherDatabase:
    def test_on_commit_follows_the_database_that_is_named(self) -> None:
        with transaction.atomic(using="other"):
            full.using(database="other").on_commit(1)
            assert sent() == []
        assert sent() == [("emails", (1,))]

    def test_a_call_that_waits_for_no_commit_refuses_a_database(self) -> None:
        with pytest.raises(UnusableArgument, match=r"call \.on_commit"):
            full.using(database="other")(1)

    def test_warns_where_another_database_has_the_transaction(self) -> None:
        with transaction.atomic(using="other"):
            with pytest.warns(RuntimeWarning, match=r"database=.other.\)\.on_commit") as caught:
                full.on_commit(1)
            assert caught[0].filename == __file__
            assert sent() == [("emails", (1,))]
