"""Every documented import name of django-lightweight-queue 4.11 is the same object here."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

import django_lightweight_queue
import dlq
from django_lightweight_queue import app_settings
from django_lightweight_queue.utils import get_backend, get_logger, get_middleware
from dlq import runtime
from dlq.types import QueueName

MODULES = {
    "app_settings": "app_settings",
    "apps": "apps",
    "backends.base": "backends.base",
    "backends.debug_web": "backends.debug_web",
    "backends.redis": "backends.redis",
    "backends.reliable_redis": "backends.reliable_redis",
    "backends.synchronous": "backends.synchronous",
    "job": "job",
    **{
        f"management.commands.queue_{verb}": f"management.commands.queue_{verb}"
        for verb in (
            *("clear", "configuration", "deduplicate", "pause", "resume", "runner", "worker"),
        )
    },
    "middleware.logging": "middleware.logging",
    "middleware.transaction": "middleware.transaction",
    "task": "decorator",
    "types": "types",
    "urls": "urls",
    "views": "views",
}

NAMES = {
    "backends.base": [
        "BackendWithClear",
        "BackendWithDeduplicate",
        "BackendWithPause",
        "BackendWithPauseResume",
        "BaseBackend",
    ],
    "backends.debug_web": ["DebugWebBackend"],
    "backends.redis": ["RedisBackend"],
    "backends.reliable_redis": ["ReliableRedisBackend"],
    "backends.synchronous": ["SynchronousBackend"],
    "command_utils": ["CommandWithExtraSettings"],
    "constants": ["SETTING_NAME_PREFIX"],
    "cron_scheduler": ["CRON_QUEUE_NAME", "execute", "get_cron_config"],
    "job": ["Job"],
    "machine_types": ["DirectlyConfiguredMachine", "Machine", "PooledMachine"],
    "management.commands.queue_clear": ["Command"],
    "management.commands.queue_pause": ["TIME_FORMAT", "Command", "parse_duration_to_time"],
    "management.commands.queue_runner": ["Command"],
    "middleware.logging": ["LoggingMiddleware"],
    "middleware.transaction": ["TransactionMiddleware"],
    "progress_logger": ["NULL_PROGRESS_LOGGER", "ProgressLogger"],
    "task": ["TaskWrapper", "task"],
    "types": ["Logger", "QueueName", "WorkerNumber"],
    "urls": ["app_name", "urlpatterns"],
    "apps": ["DjangoLightweightQueueConfig"],
    "utils": [
        "block_for_time",
        "contribute_implied_queue_name",
        "get_backend",
        "get_queue_counts",
        "get_worker_numbers",
        "load_extra_settings",
        "set_process_title",
    ],
    "views": ["debug_run"],
}


@pytest.mark.parametrize(("old", "new"), MODULES.items())
def test_an_old_module_is_its_successor(old: str, new: str) -> None:
    assert import_module(f"django_lightweight_queue.{old}") is import_module(f"dlq.{new}")


@pytest.mark.parametrize(("module", "names"), NAMES.items())
def test_an_old_module_has_its_names(module: str, names: list[str]) -> None:
    for name in names:
        assert getattr(import_module(f"django_lightweight_queue.{module}"), name) is not None


def test_the_package_has_its_names() -> None:
    for name in ("task", "TaskWrapper", "contribute_implied_queue_name"):
        assert getattr(django_lightweight_queue, name) is getattr(dlq, name)


def test_importing_the_module_task_does_not_hide_the_decorator() -> None:
    check = (
        "import django_lightweight_queue.task\n"
        "from django_lightweight_queue import task\n"
        "from dlq.decorator import task as decorator\n"
        "assert task is decorator, task"
    )
    path = ":".join(sys.path)
    subprocess.run([sys.executable, "-c", check], check=True, env={"PYTHONPATH": path}, timeout=60)


def test_the_cron_task_keeps_its_path() -> None:
    from django_lightweight_queue.cron_scheduler import execute

    assert execute.path == "django_lightweight_queue.cron_scheduler.execute"


@override_settings(LIGHTWEIGHT_QUEUE_WORKERS={"emails": 3}, LIGHTWEIGHT_QUEUE_REDIS_PASSWORD="pw")
def test_app_settings_answer_by_module_and_by_object() -> None:
    assert app_settings.WORKERS == app_settings.app_settings.WORKERS
    assert app_settings.WORKERS["emails"] == 3
    assert app_settings.REDIS_PASSWORD == "pw"
    assert app_settings.ATOMIC_JOBS is True
    with override_settings(LIGHTWEIGHT_QUEUE_WORKERS={"emails": 4}):
        assert app_settings.WORKERS["emails"] == 4
    with pytest.raises(AttributeError, match=r"LIGHTWEIGHT_QUEUE_WORKER$"):
        _ = app_settings.WORKER


def test_utils_give_the_live_objects_in_force() -> None:
    queue = QueueName("emails")
    assert get_backend(queue) is runtime.current().backend(queue)
    assert get_middleware() == list(runtime.current().middleware())
    assert get_logger("dlq.x") is runtime.current().logger("dlq.x")


OLD_APP = "django_lightweight_queue.apps.DjangoLightweightQueueConfig"


@pytest.mark.parametrize("name", ["dlq", "django_lightweight_queue", "dlq.apps.DlqConfig", OLD_APP])
def test_installed_apps_accept_either_name(name: str) -> None:
    from django.apps import apps

    with override_settings(INSTALLED_APPS=[name]):
        assert [(app.name, app.label) for app in apps.get_app_configs()] == [("dlq", "dlq")]


def test_both_names_at_once_are_told() -> None:
    both = override_settings(INSTALLED_APPS=["dlq", "django_lightweight_queue"])
    with pytest.raises(ImproperlyConfigured, match="INSTALLED_APPS names dlq twice"):
        both.enable()


@pytest.mark.parametrize(
    "path",
    [
        "django_lightweight_queue.backends.synchronous.SynchronousBackend",
        "dlq.backends.synchronous.SynchronousBackend",
    ],
)
def test_settings_may_name_a_class_by_either_path(path: str) -> None:
    from dlq.backends.synchronous import SynchronousBackend

    with override_settings(LIGHTWEIGHT_QUEUE_BACKEND=path):
        assert type(get_backend(QueueName("emails"))) is SynchronousBackend
