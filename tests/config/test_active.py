"""What is in force in a process, and what reads it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from django.test import override_settings

from dlq import app_settings
from dlq.config import active
from dlq.config.active import InvalidConfiguration
from dlq.config.resolve import resolve_from_django

ROOT = Path(__file__).parents[2]


def test_override_settings_simply_works() -> None:
    before = app_settings.WORKERS
    with override_settings(LIGHTWEIGHT_QUEUE_WORKERS={"emails": 4}):
        assert app_settings.WORKERS == app_settings.app_settings.WORKERS
        assert app_settings.WORKERS["emails"] == 4
        with override_settings(LIGHTWEIGHT_QUEUE_WORKERS={"emails": 5}):
            assert app_settings.WORKERS["emails"] == 5
            assert active.resolution().source_of("WORKERS").label == "Django settings"
        assert app_settings.WORKERS["emails"] == 4
    assert before == app_settings.WORKERS


def test_app_settings_have_the_settings_by_name() -> None:
    with override_settings(LIGHTWEIGHT_QUEUE_REDIS_PASSWORD="pw"):
        assert app_settings.REDIS_PASSWORD == "pw"
    with pytest.raises(AttributeError, match="no setting LIGHTWEIGHT_QUEUE_WORKER"):
        _ = app_settings.WORKER
    with pytest.raises(AttributeError, match="no setting LIGHTWEIGHT_QUEUE_WORKER"):
        app_settings.app_settings.WORKER = 3
    assert "REDIS_PORT" in dir(app_settings.app_settings)


def test_errors_are_raised_to_who_needs_a_valid_value() -> None:
    values = {"LIGHTWEIGHT_QUEUE_WORKERS": {"q": -1}, "LIGHTWEIGHT_QUEUE_REDIS_PORT": "x"}
    with (
        override_settings(**values),
        pytest.raises(InvalidConfiguration, match=r"WORKERS\['q'\] is -1.*REDIS_PORT is 'x'"),
    ):
        _ = app_settings.WORKERS


def test_a_web_process_pays_for_little() -> None:
    """Nothing of pydantic until somebody asks for a setting; then no redis, no parser of files, and
    no look for lines while nothing is wrong."""
    code = """\
import ast
import sys

import django
import tests.project.settings

tests.project.settings.LIGHTWEIGHT_QUEUE_REDIS_DATABASE = 3
django.setup()
parsed = []
parse = ast.parse
ast.parse = lambda *args, **words: parsed.append(args) or parse(*args, **words)

from dlq import app_settings, task
from dlq.config import active
from tests.project.orders import tasks

assert not {"pydantic", "pydantic_settings", "dlq.config.settings"} & set(sys.modules)
assert active.settings().redis_database == 3
for name in ("redis", "typer", "rich", "tomllib", "dlq.config.validation.violations"):
    assert name not in sys.modules, name
assert parsed == [], parsed
print(active.resolution().source_of("REDIS_DATABASE").label, len(parsed))
"""
    answer = subprocess.run(
        [sys.executable, "-c", code],
        env={
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "tests.project.settings",
            "LIGHTWEIGHT_QUEUE_REDIS_PORT": "6379",
        },
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert answer.stdout == "tests/project/settings.py 0\n", answer.stderr


def test_locations_are_looked_up_when_asked() -> None:
    resolution = resolve_from_django()
    assert resolution.source_of("WORKERS").kind == "default"


def test_settings_that_were_configured_by_hand_have_no_file() -> None:
    from django.conf import LazySettings

    from dlq.config.resolve import resolve

    settings = LazySettings()
    settings.configure(LIGHTWEIGHT_QUEUE_REDIS_PORT=1)
    resolution = resolve(settings, environ={})
    assert resolution.settings is not None
    assert resolution.settings.redis_port == 1
    assert resolution.source_of("REDIS_PORT").label == "Django settings"


def test_a_resolution_can_be_sent_to_another_process() -> None:
    import pickle

    with override_settings(LIGHTWEIGHT_QUEUE_WORKERS={"emails": 4}):
        resolution = resolve_from_django()
    again = pickle.loads(pickle.dumps(resolution))
    assert again.settings == resolution.settings
    assert again.values.keys() == resolution.values.keys()
    for name, value in resolution.values.items():
        other = again.values[name]
        assert (other.name, other.value, other.kind) == (value.name, value.value, value.kind)
        assert (other.source, other.hides) == (value.source, value.hides)
        assert dict(other.items) == dict(value.items)
