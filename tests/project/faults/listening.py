"""As `settings`, of a project that has its log on the console, as in a container."""

from __future__ import annotations

from tests.project.faults.settings import *  # noqa: F403 (as Django projects layer their settings)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
