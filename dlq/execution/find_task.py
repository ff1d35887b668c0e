"""The users' modules: each installed app's `tasks` and `cron`, and the tasks that jobs name.

Needs a configured Django; knows no server.
"""

from __future__ import annotations

import sys
from collections.abc import Collection
from importlib import import_module
from types import ModuleType

from dlq.config import active
from dlq.errors import UnknownTask
from dlq.jobs.task import Task, as_task
from dlq.primitives.legacy_names import OLD_PACKAGE


def find_task(path: str) -> Task:
    """The task that a job names. Raises UnknownTask, with what to do about it.

    Whoever can write to the server chooses the path, so nothing is imported but modules of
    installed apps and those that TASK_MODULES lists, and nothing is given out but objects that
    `@task` made.
    """
    module_name, _, name = path.rpartition(".")
    module = sys.modules.get(module_name)
    if module is None:
        module = _import_task_module(module_name, path)
    found = getattr(module, name, None)
    task = as_task(found)
    if task is not None:
        return task
    if found is None:
        raise UnknownTask(
            f"no task {path}: module {module_name} has no {name!r}"
            " (was it renamed or removed while its jobs waited?)"
        )
    raise UnknownTask(f"no task {path}: it is a {type(found).__name__}, not made by @task")


def may_be_imported(module_name: str, apps: Collection[str], task_modules: Collection[str]) -> bool:
    """Whether a job may cause an import of this module."""
    return module_name in task_modules or any(
        module_name == app or module_name.startswith(f"{app}.") for app in apps
    )


def _import_task_module(module_name: str, path: str) -> ModuleType:
    from django.apps import apps

    installed = {app.module.__name__ for app in apps.get_app_configs() if app.module is not None}
    allowed = may_be_imported(
        module_name, installed | {OLD_PACKAGE}, active.settings().task_modules
    )
    if not module_name or not allowed:
        raise UnknownTask(
            f"no task {path}: {module_name or 'it'} is no module of an installed app; if it holds"
            " tasks, list it in LIGHTWEIGHT_QUEUE_TASK_MODULES"
        )
    try:
        return import_module(module_name)
    except (ImportError, ValueError, RecursionError) as error:
        # The last two: names with a NUL or a surrogate, and of thousands of parts.
        raise UnknownTask(f"no task {path}: {error}") from error
