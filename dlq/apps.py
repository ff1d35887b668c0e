"""The Django app: what happens once Django has loaded its apps.

`INSTALLED_APPS` accepts "dlq" or "django_lightweight_queue"; both give this one app. Nothing here
resolves the configuration: that is left to whoever first needs it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from importlib import import_module
from types import ModuleType

from django.apps import AppConfig, apps
from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from dlq.config import PREFIX, active
from dlq.execution.app_modules import ignored_apps, import_tasks


class DlqConfig(AppConfig):
    name = "dlq"
    label = "dlq"
    verbose_name = "dlq"

    def __init__(self, app_name: str, app_module: ModuleType | None) -> None:
        if "dlq" in apps.app_configs:
            raise ImproperlyConfigured(
                "INSTALLED_APPS names dlq twice: 'dlq' and 'django_lightweight_queue' are two names"
                " of one app, remove one of them"
            )
        super().__init__(app_name, app_module)

    def ready(self) -> None:
        """Raises TasksNotImportable."""
        from dlq.checks import configuration_check

        checks.register(configuration_check, "dlq")
        setting_changed.connect(_forget_settings, dispatch_uid="dlq.settings")
        _import_task_backend()
        import_tasks(_ignored_apps())


def _import_task_backend() -> None:
    """Import the room for Django's tasks framework where TASKS names it: a worker can then run also
    tasks that were declared for another backend and enqueued with `using(backend=…)`."""
    backends = getattr(settings, "TASKS", None) or {}
    if any(str(each.get("BACKEND", "")).startswith("dlq.") for each in backends.values()):
        import_module("dlq.django_tasks")


def __getattr__(name: str) -> type[AppConfig]:
    """4.11's name of the app's class. It is no second class of this module: Django would not know
    which of two to take."""
    if name == "DjangoLightweightQueueConfig":
        return DlqConfig
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _forget_settings(*, setting: str, **_: object) -> None:
    """Cron rows come from the installed apps, and SITE_URL falls back to Django's own."""
    if setting.startswith(PREFIX) or setting in {"INSTALLED_APPS", "SITE_URL"}:
        active.forget()


def _ignored_apps() -> Collection[str]:
    """IGNORE_APPS as the environment or the Django settings have it. Read without a resolution,
    which would cost each web process its time at start."""
    text = os.environ.get(f"{PREFIX}IGNORE_APPS")
    if text:  # an empty variable counts as unset
        return _from_text(text)
    return ignored_apps(getattr(settings, f"{PREFIX}IGNORE_APPS", ()))


def _from_text(text: str) -> Collection[str]:
    if not text.lstrip().startswith("["):
        return [name.strip() for name in text.split(",")]
    try:
        return ignored_apps(json.loads(text))
    except ValueError:
        return ()
