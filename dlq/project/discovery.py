"""The modules of the project that declare tasks: what is imported to find them, and what is not.

As in django-lightweight-queue 4.11: the `tasks` module of each installed app, and what the URLconf
imports (4.11 ran Django's system checks, which import it). A machine that finds other tasks than
the rest of its pool would split the workers in another way.
"""

from __future__ import annotations

import pkgutil
import re
import sys
from collections.abc import Collection, Iterable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from dlq.diagnostics.finding import Finding
from dlq.diagnostics.rules import project as rules
from dlq.diagnostics.user_exceptions import last_line, source_of_error
from dlq.execution.app_modules import TasksNotImportable, app_modules, import_tasks
from dlq.execution.find_task import OWN_TASK_MODULES, may_be_imported
from dlq.jobs.declarations import Declaration
from dlq.primitives.display_path import display_path
from dlq.primitives.text import listed
from dlq.types import Source

DECORATOR = re.compile(r"^\s*@(\w+\.)*task\b", re.MULTILINE)


def import_declaring_modules(ignored: Collection[str]) -> list[Finding]:
    """Import the tasks of the apps and the URLconf, and report what cannot be imported."""
    findings = []
    try:
        import_tasks(ignored)
    except TasksNotImportable as error:
        findings += not_importable(error)
    return findings + _import_urlconf()


def not_importable(error: TasksNotImportable) -> list[Finding]:
    """A finding for each module with tasks that raises while it is imported."""
    return [
        rules.E024.finding(
            f"cannot import {module}: {last_line(cause)}",
            source_of_error(cause),
            f"fix it, or list {module.rpartition('.')[0]!r} in LIGHTWEIGHT_QUEUE_IGNORE_APPS",
        )
        for module, cause in error.causes.items()
    ]


def _import_urlconf() -> list[Finding]:
    from django.conf import settings

    name = getattr(settings, "ROOT_URLCONF", None)
    if not isinstance(name, str) or not name:
        return []
    try:
        import_module(name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return [
            rules.W027.finding(
                f"cannot import the URLconf {name}: {last_line(error)}",
                source_of_error(error),
                "tasks that only it imports are not known; python manage.py check shows more",
            )
        ]
    return []


def check_discovery(
    declarations: Iterable[Declaration], task_modules: Collection[str], ignored: Collection[str]
) -> Iterator[Finding]:
    """Tasks that no worker may import, and modules with tasks that nothing imports."""
    from django.apps import apps

    installed = {app.module.__name__ for app in apps.get_app_configs() if app.module is not None}
    known = (*task_modules, *OWN_TASK_MODULES)
    seen = set()
    for declaration in declarations:
        if declaration.task is None:
            continue
        module = declaration.task.rpartition(".")[0]
        if module in seen or may_be_imported(module, installed, known):
            continue
        seen.add(module)
        yield rules.W028.finding(
            f"{declaration.task} is in {module}, which is no module of an installed app: a worker"
            " that has not imported it yet refuses its jobs",
            declaration.source,
            f"LIGHTWEIGHT_QUEUE_TASK_MODULES = [{module!r}], or add its app to INSTALLED_APPS",
        )
    for name in app_modules("tasks", ignored):
        yield from _submodules_left_out(name)


def _submodules_left_out(package_name: str) -> Iterator[Finding]:
    package = sys.modules.get(package_name)
    if package is None or not hasattr(package, "__path__"):
        return
    missing = [
        module.name
        for module in pkgutil.walk_packages(package.__path__, f"{package_name}.")
        if module.name not in sys.modules and _declares_tasks(module.name)
    ]
    if missing:
        file = package.__file__
        yield rules.W029.finding(
            f"{listed(missing)} {'has' if len(missing) == 1 else 'have'} tasks, and nothing imports"
            f" {'it' if len(missing) == 1 else 'them'}",
            None if file is None else Source("task", file=display_path(file)),
            f"from {package_name} import {missing[0].rpartition('.')[2]}",
        )


def _declares_tasks(name: str) -> bool:
    spec = find_spec(name)
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return False
    try:
        return DECORATOR.search(Path(spec.origin).read_text(encoding="utf-8")) is not None
    except (OSError, ValueError):
        return False
