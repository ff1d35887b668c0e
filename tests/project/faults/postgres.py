"""The project with a database server, whose connections jobs share for as long as they last."""

from __future__ import annotations

import os

from tests.project.faults.settings import *  # noqa: F403 (as Django projects layer their settings)

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.environ.get("TEST_POSTGRES", ""),
        "NAME": "postgres",
        "USER": "postgres",
        "CONN_MAX_AGE": None,  # type: ignore[dict-item]  # the base settings have only strings
    }
}
