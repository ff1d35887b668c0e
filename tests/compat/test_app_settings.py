"""What code of 4.11 does with `app_settings` and `utils` has the effect that it had."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.conf import settings
from django.core.management.base import CommandParser
from django.test import override_settings

from django_lightweight_queue import TaskWrapper, app_settings, utils
from django_lightweight_queue.command_utils import CommandWithExtraSettings
from django_lightweight_queue.cron_scheduler import CRON_QUEUE_NAME, get_cron_config
from django_lightweight_queue.machine_types import DirectlyConfiguredMachine, PooledMachine
from dlq.backends.redis import RedisBackend
from dlq.config import active
from dlq.types import QueueName

REDIS = "django_lightweight_queue.backends.redis.RedisBackend"
EMAILS = QueueName("emails")


@pytest.fixture(autouse=True)
def nothing_assigned() -> Iterator[None]:
    yield
    for name in dir(app_settings.app_settings):
        if name.isupper() and active.is_assigned(name):
            delattr(app_settings, name)


def test_an_assignment_acts_until_it_is_deleted() -> None:
    before = app_settings.REDIS_PORT
    app_settings.REDIS_PORT = 7000
    assert app_settings.REDIS_PORT == app_settings.app_settings.REDIS_PORT == 7000
    assert active.settings().redis_port == 7000
    with override_settings(LIGHTWEIGHT_QUEUE_REDIS_PORT=7001):
        assert app_settings.REDIS_PORT == 7000
    del app_settings.REDIS_PORT
    assert before == app_settings.REDIS_PORT


def test_a_value_that_the_setting_cannot_have_is_refused() -> None:
    with pytest.raises(ValueError, match="redis_port"):
        app_settings.REDIS_PORT = "x"
    with pytest.raises(AttributeError, match="there is no setting LIGHTWEIGHT_QUEUE_REDIS_PROT"):
        app_settings.REDIS_PROT = 1
    assert app_settings.REDIS_PORT != "x"


def test_a_patch_acts_while_it_lasts() -> None:
    with mock.patch("django_lightweight_queue.app_settings.BACKEND", new=REDIS):
        assert type(utils.get_backend(EMAILS)) is RedisBackend
    assert type(utils.get_backend(EMAILS)) is not RedisBackend
    assert not active.is_assigned("BACKEND")


@override_settings(LIGHTWEIGHT_QUEUE_WORKERS={"emails": 3})
def test_a_change_inside_a_dict_acts_and_leaves_the_django_settings_alone() -> None:
    with mock.patch.dict("django_lightweight_queue.app_settings.WORKERS", {"other": 2}):
        assert utils.get_queue_counts()[QueueName("other")] == 2
        assert active.settings().workers["other"] == 2
    assert "other" not in app_settings.WORKERS
    app_settings.WORKERS.setdefault("third", 4)
    assert list(utils.get_worker_numbers(QueueName("third"))) == [1, 2, 3, 4]
    assert getattr(settings, "LIGHTWEIGHT_QUEUE_WORKERS", None) == {"emails": 3}


@override_settings(LIGHTWEIGHT_QUEUE_WORKERS={"emails": 3})
def test_workers_include_the_queues_that_tasks_imply() -> None:
    queue = QueueName("implied-for-this-test")
    utils.contribute_implied_queue_name(queue)
    assert app_settings.WORKERS[queue] == 1
    assert app_settings.WORKERS["emails"] == 3


def test_extra_settings_are_assigned_and_reported(tmp_path: Path) -> None:
    path = tmp_path / "extra.py"
    path.write_text("LIGHTWEIGHT_QUEUE_REDIS_PASSWORD = 'pw'\nREDIS_PROT = 1\n")
    with pytest.warns(UserWarning, match=r"Ignoring unexpected setting\(s\) 'REDIS_PROT'"):
        utils.load_extra_settings(str(path))
    assert app_settings.REDIS_PASSWORD == "pw"
    path.write_text("LIGHTWEIGHT_QUEUE_REDIS_PASSWORD = None\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        utils.load_extra_settings(str(path))
    assert app_settings.REDIS_PASSWORD is None
    with pytest.raises(FileNotFoundError):
        utils.load_extra_settings(str(tmp_path / "none.py"))


def test_a_command_of_the_old_base_takes_extra_settings(tmp_path: Path) -> None:
    path = tmp_path / "extra.py"
    path.write_text("LIGHTWEIGHT_QUEUE_REDIS_DATABASE = 5\n")
    command = CommandWithExtraSettings()
    parser = CommandParser()
    command.add_arguments(parser)
    options: dict[str, Any] = vars(parser.parse_args(["--extra-settings", str(path)]))
    assert command.handle_extra_settings(**options) == str(path)
    assert app_settings.REDIS_DATABASE == 5


@pytest.mark.parametrize("function", [utils.get_backend, utils.get_logger, utils.get_middleware])
def test_cache_clear_makes_new_objects(function: Any) -> None:
    arguments = () if function is utils.get_middleware else ("emails",)
    before = function(*arguments)
    assert function(*arguments) == before
    function.cache_clear()
    assert utils.get_backend(EMAILS) is utils.get_backend(EMAILS)


def test_the_module_can_be_loaded_again() -> None:
    app_settings.REDIS_PORT = 7000
    importlib.reload(app_settings)
    app_settings.REDIS_PORT = 7002
    assert active.settings().redis_port == 7002


@override_settings(LIGHTWEIGHT_QUEUE_WORKERS={"b": 2, "a": 1})
def test_machines_have_the_workers_of_the_split() -> None:
    app_settings.WORKERS = {"a": 1, "b": 2}
    machines = [PooledMachine(number, 2, None) for number in (1, 2)]
    assert [list(machine.worker_names) for machine in machines] == [
        [("b", 1)],
        [("a", 1), ("b", 2)],
    ]
    assert [machine.run_cron for machine in machines] == [True, False]
    assert PooledMachine(1, 2, QueueName(CRON_QUEUE_NAME)).run_cron
    assert not PooledMachine(1, 2, QueueName("a")).run_cron
    exact = DirectlyConfiguredMachine()
    assert list(exact.worker_names) == [("a", 1), ("b", 1), ("b", 2)]
    assert not exact.run_cron
    assert not exact.configure_cron


def test_cron_rows_as_dicts() -> None:
    for row in get_cron_config():
        assert {"command", "queue", "timeout", "sigkill_on_stop", "command_args"} <= row.keys()
        assert any(map(row["min_matcher"], range(60)))
        assert any(map(row["hour_matcher"], range(24)))
        assert any(map(row["day_matcher"], range(1, 8)))


@pytest.mark.parametrize(("answers", "timed_out"), [([False], False), ([True, False], False)])
def test_blocking_ends_when_the_function_says_so(answers: list[bool], timed_out: bool) -> None:
    asked = iter(answers)
    every = timedelta(milliseconds=1)
    assert utils.block_for_time(lambda: next(asked), timedelta(minutes=1), every) is timed_out
    assert utils.block_for_time(lambda: True, timedelta(0), every)


def test_a_wrapper_takes_one_parameter_in_annotations() -> None:
    wrapper: Any = TaskWrapper
    assert wrapper[Callable[..., None]].__origin__ is TaskWrapper
    assert wrapper[..., None].__origin__ is TaskWrapper
