"""The test project with cron rows."""

from __future__ import annotations

from tests.project.settings import *  # noqa: F403 (as Django projects layer their settings)
from tests.project.settings import INSTALLED_APPS as BASE_APPS

INSTALLED_APPS = [*BASE_APPS, "tests.project.clockwork"]
