"""The test project with TASKS: as the default one, and one each for what OPTIONS can say."""

from __future__ import annotations

from typing import Any

from tests.project.settings import *  # noqa: F403 (a settings module built on another)
from tests.project.settings import INSTALLED_APPS as BASE_APPS

INSTALLED_APPS = [*BASE_APPS, "tests.project.framework"]

BACKEND = "dlq.django_tasks.DlqBackend"
TASKS: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": BACKEND, "OPTIONS": {"results": 600}},
    "forgetful": {"BACKEND": BACKEND},
    "patient": {"BACKEND": BACKEND, "OPTIONS": {"results": 600, "on_commit": True}},
    "stubborn": {
        "BACKEND": BACKEND,
        "OPTIONS": {"results": 600, "defaults": {"retries": 1, "retry_backoff": 0.1}},
    },
    "careful": {
        "BACKEND": BACKEND,
        "OPTIONS": {"results": 600, "defaults": {"timeout": 1, "unique": 60}},
    },
}
