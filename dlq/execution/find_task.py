"""The task that a job names, found without importing more than a job may cause.

Needs a configured Django; knows no server.
"""

from __future__ import annotations

import sys
from collections.abc import Collection
from importlib import import_module
from types import ModuleType

from dlq.config import active
from dlq.errors import UnknownTask
from dlq.execution.describe import describe
from dlq.jobs.task import Task, as_task
from dlq.primitives.legacy_names import OLD_PACKAGE

OWN_TASK_MODULES = (f"{OLD_PACKAGE}.cron_scheduler",)
"""The modules of dlq itself that hold tasks. A job can cause the import of no other module of dlq:
`dlq.__main__` would start a second supervisor."""


def find_task(path: str) -> Task:
    """The task that a job names. Raises UnknownTask, with what to do about it.

    A writer to the server chooses the path, so nothing is imported but modules of
    installed apps and those that TASK_MODULES lists, and nothing is returned but objects that
    `@task` made.
    """
    module_name, _, name = path.rpartition(".")
    module = None if "__main__" in module_name.split(".") else sys.modules.get(module_name)
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
    """Whether a job may cause an import of this module: of a package of `apps` or a module of
    `task_modules`, but never a `__main__` module, which runs a program when it is imported."""
    if module_name in task_modules:
        return True
    is_in_app = any(module_name == app or module_name.startswith(f"{app}.") for app in apps)
    return is_in_app and "__main__" not in module_name.split(".")


def _import_task_module(module_name: str, path: str) -> ModuleType:
    from django.apps import apps

    names = {app.module.__name__ for app in apps.get_app_configs() if app.module is not None}
    task_modules = (*active.settings().task_modules, *OWN_TASK_MODULES)
    if not module_name or not may_be_imported(module_name, names - {"dlq"}, task_modules):
        raise UnknownTask(
            f"no task {path}: {module_name or 'it'} is no module of an installed app; if it holds"
            " tasks, list it in LIGHTWEIGHT_QUEUE_TASK_MODULES"
        )
    try:
        return import_module(module_name)
    except (ImportError, ValueError, RecursionError) as error:
        # The last two: names with a NUL or a surrogate, and of thousands of parts.
        raise UnknownTask(f"no task {path}: {error}") from error
    except BaseException as error:
        # Whatever a module does while it is imported, its job fails and the next one is run.
        raise UnknownTask(
            f"no task {path}: importing {module_name} raises {describe(error)}"
        ) from error
