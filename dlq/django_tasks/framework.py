"""The framework itself: `django.tasks` from Django 6.0 on, the package django-tasks before.

The only module that knows that there are two. Types are those of the backport, which has them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from django_tasks.backends.base import BaseTaskBackend as BaseTaskBackend
    from django_tasks.base import Task as FrameworkTask
    from django_tasks.base import TaskContext as TaskContext
    from django_tasks.base import TaskError as TaskError
    from django_tasks.base import TaskResult as TaskResult
    from django_tasks.base import TaskResultStatus as TaskResultStatus
    from django_tasks.exceptions import InvalidTaskError as InvalidTask
    from django_tasks.exceptions import TaskResultDoesNotExist as TaskResultDoesNotExist
    from django_tasks.signals import task_enqueued, task_finished, task_started
    from django_tasks.utils import normalize_json

    PACKAGE: str
else:
    PACKAGE = "django.tasks" if django.VERSION >= (6, 0) else "django_tasks"
    import_module(PACKAGE)
    _base = import_module(f"{PACKAGE}.base")
    _exceptions = import_module(f"{PACKAGE}.exceptions")
    _signals = import_module(f"{PACKAGE}.signals")
    BaseTaskBackend = import_module(f"{PACKAGE}.backends.base").BaseTaskBackend
    FrameworkTask = _base.Task
    TaskContext = _base.TaskContext
    TaskError = _base.TaskError
    TaskResult = _base.TaskResult
    TaskResultStatus = _base.TaskResultStatus
    normalize_json = _base.normalize_json
    InvalidTask = getattr(_exceptions, "InvalidTask", None) or _exceptions.InvalidTaskError
    TaskResultDoesNotExist = _exceptions.TaskResultDoesNotExist
    task_enqueued = _signals.task_enqueued
    task_started = _signals.task_started
    task_finished = _signals.task_finished

__all__ = [
    "PACKAGE",
    "BaseTaskBackend",
    "FrameworkTask",
    "InvalidTask",
    "TaskContext",
    "TaskError",
    "TaskResult",
    "TaskResultDoesNotExist",
    "TaskResultStatus",
    "normalize_json",
    "task_enqueued",
    "task_finished",
    "task_started",
]
