"""As the faults project with a database server, whose connections come from a pool."""

from __future__ import annotations

from tests.project.faults.postgres import *  # noqa: F403 (as Django projects layer their settings)
from tests.project.faults.postgres import DATABASES as BASE_DATABASES
from tests.project.faults.settings import INSTALLED_APPS as BASE_APPS

INSTALLED_APPS = [*BASE_APPS, "tests.project.pooled"]
DATABASES = {
    "default": {
        **BASE_DATABASES["default"],
        "CONN_MAX_AGE": 0,  # type: ignore[dict-item]  # the base settings have only strings
        "OPTIONS": {"pool": {"min_size": 1, "max_size": 2}},  # type: ignore[dict-item]  # as above
    }
}
