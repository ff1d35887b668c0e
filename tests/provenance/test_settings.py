"""The locations of Django's settings, as the configuration has them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dlq.config.resolution import Resolution
from tests.config.projects import django_settings, resolved, write
from tests.kit.environments import ROOT

PORT = "LIGHTWEIGHT_QUEUE_REDIS_PORT"
WORKERS = "LIGHTWEIGHT_QUEUE_WORKERS"


@pytest.fixture(autouse=True)
def _in_the_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_range_ends_with_the_value(tmp_path: Path) -> None:
    files = {"shop/settings.py": f'{WORKERS} = {{"é": 10}}\n'}
    value = resolved(tmp_path, files).values["WORKERS"]
    assert (value.items["é"].column, value.items["é"].end_column) == (35, 37)


def test_values_that_are_not_of_the_module_have_no_file(tmp_path: Path) -> None:
    """As django.test.override_settings sets them."""
    from django.conf import UserSettingsHolder

    from dlq.config.resolve import resolve

    write(tmp_path, {"shop/settings.py": f"{PORT} = 7000\nLIGHTWEIGHT_QUEUE_REDIS_DATABASE = 3\n"})
    with django_settings(tmp_path, "shop.settings") as settings:
        holder = UserSettingsHolder(vars(settings)["_wrapped"])
        setattr(holder, PORT, 7000)
        settings._wrapped = holder
        resolution = resolve(settings, settings_module="shop.settings", environ={})
        assert resolution.source_of("REDIS_PORT").label == "Django settings"
        assert resolution.source_of("REDIS_DATABASE").label == "shop/settings.py:2"


def test_a_file_that_changed_since_its_import_gives_no_wrong_line(tmp_path: Path) -> None:
    from dlq.config.resolve import resolve

    write(tmp_path, {"shop/settings.py": f"{PORT} = 7000\n"})
    with django_settings(tmp_path, "shop.settings") as settings:
        write(tmp_path, {"shop/settings.py": f"\n\n{PORT} = 8000\n"})
        resolution = resolve(settings, settings_module="shop.settings", environ={})
        assert resolution.source_of("REDIS_PORT").location == "shop/settings.py"


def findings(resolution: Resolution) -> dict[str, str]:
    return {each.message: each.source.location for each in resolution.findings if each.source}


@pytest.mark.parametrize(
    ("text", "location"),
    [
        (f"{WORKERS} = {{\n    'a': 1,\n    'b': -1,\n}}\n", "shop/settings.py:3:10"),
        (
            f"{WORKERS} = {{'a': 1}}\nfor q in ('b',):\n    {WORKERS}[q] = -1\n",
            "shop/settings.py:3",
        ),
        (f"def f():\n    t = {{'b': -1}}\n    return t\n{WORKERS} = f()\n", "shop/settings.py"),
    ],
)
def test_a_wrong_item_is_shown_where_the_item_is_written(
    tmp_path: Path, text: str, location: str
) -> None:
    """Never at the line of the whole dict; a file alone, where the item's line is not known."""
    (found,) = findings(resolved(tmp_path, {"shop/settings.py": text})).values()
    assert found.startswith(location)
    assert ":" in location or found == location


def test_what_cannot_be_observed_has_a_file_and_no_line(tmp_path: Path) -> None:
    tracer = sys.gettrace()
    sys.settrace(lambda *_: None)
    try:
        resolution = resolved(tmp_path, {"shop/settings.py": f"{PORT} = 7000\n"})
    finally:
        sys.settrace(tracer)
    assert resolution.source_of("REDIS_PORT").location == "shop/settings.py"


CONFIGURATIONS = f"""\
class Base:
    {PORT} = 7000
    {WORKERS} = {{"a": 1}}

class Prod(Base):
    {WORKERS} = {{
        "b": 2,
    }}
"""


def test_the_class_that_the_module_takes_its_settings_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As django-configurations does: after the module, by code of its own."""
    from dlq.config.resolve import resolve

    monkeypatch.setenv("DJANGO_CONFIGURATION", "Prod")
    write(tmp_path, {"shop/settings.py": CONFIGURATIONS})
    with django_settings(tmp_path, "shop.settings") as settings:
        module = sys.modules["shop.settings"]
        for name in (PORT, WORKERS):
            setattr(module.Prod, name, getattr(module.Prod, name))
            setattr(module, name, getattr(module.Prod, name))
            setattr(settings, name, getattr(module.Prod, name))
        resolution = resolve(settings, settings_module="shop.settings", environ={})
        assert resolution.source_of("REDIS_PORT").label == "shop/settings.py:2"
        assert resolution.source_of("WORKERS").label == "shop/settings.py:6"
        assert resolution.source_of("WORKERS", "b").label == "shop/settings.py:7"


def test_a_module_that_gives_out_the_attributes_of_a_class(tmp_path: Path) -> None:
    """As classy-settings does, by __getattr__ and __dir__."""
    text = (
        f"class Base:\n    {PORT} = 7000\nclass Prod(Base):\n    {PORT} = 7001\n"
        "__getattr__ = Prod().__getattribute__\n__dir__ = lambda: [*dir(Prod)]\n"
    )
    assert resolved(tmp_path, {"shop/settings.py": text}).source_of("REDIS_PORT").label == (
        "shop/settings.py:4"
    )


MANAGE = f"""\
import os, sys
sys.path[:0] = [{str(ROOT)!r}, os.getcwd()]
os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
from django.conf import settings
settings.INSTALLED_APPS
from dlq.config.resolve import resolve_command
for name in ("REDIS_PORT", "REDIS_PREFIX"):
    print(resolve_command(()).source_of(name).location)
"""


@pytest.mark.parametrize(
    ("text", "location"),
    [
        (f"{PORT} = 7000\n", "shop/settings.py:1:32"),
        ("import sys\nif 'now' in sys.argv:\n    from .base import *\n", "shop/base.py:1:32"),
        (f"import os\n{PORT} = os.getpid()\n", "shop/settings.py"),
        (
            f"import sys\nprint('loud')\nsys.stdout.flush()\n{PORT} = 7000\n",
            "shop/settings.py:4:32",
        ),
        (
            (
                f"import threading, time\n{PORT} = 7000\n"
                "threading.Thread(target=time.sleep, args=(0.5,)).start()\n"
            ),
            "shop/settings.py:2:32",
        ),
        (
            (
                f"import os\n{PORT} = 7000\nif os.environ.get('AGAIN'): raise OSError\n"
                "os.environ['AGAIN'] = '1'\n"
            ),
            "shop/settings.py",
        ),
    ],
)
def test_settings_that_others_imported_are_imported_again_by_a_child(
    tmp_path: Path, text: str, location: str
) -> None:
    """Its answer counts if it has the same values."""
    prefix = "LIGHTWEIGHT_QUEUE_REDIS_PREFIX = 'x'\n"
    write(tmp_path, {"shop/settings.py": text + prefix, "shop/base.py": f"{PORT} = 7001\n"})
    Path("manage.py").write_text(MANAGE)
    environ = {**os.environ, "PYTHONPATH": ""}
    answer = subprocess.run(
        [sys.executable, "manage.py", "now"],
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert answer.returncode == 0, answer.stderr
    assert answer.stderr == ""
    said = answer.stdout.replace("loud\n", "").splitlines()
    known = ":" in location
    line = text.count("\n") + 1
    assert said == [location, f"shop/settings.py:{line}:34" if known else "shop/settings.py"]


def test_a_child_that_hangs_is_left_after_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what it had started is ended with it."""
    from dlq.provenance import reimport

    text = f"{PORT} = 7000\nimport os, time\nif os.environ.get('AGAIN'): time.sleep(600)\n"
    write(tmp_path, {"shop/settings.py": text})
    monkeypatch.setattr(reimport, "SECONDS", 2)
    with django_settings(tmp_path, "shop.settings"):
        monkeypatch.setenv("AGAIN", "1")
        assert reimport.reimported_locations("shop.settings") == {}


def test_explain_has_the_chain_of_statements(tmp_path: Path) -> None:
    from dlq.config.explain import explain

    files = {
        "shop/base.py": f"{WORKERS} = {{'a': 1}}\n",
        "shop/settings.py": (
            f"from .base import *\n{WORKERS} = {{**{WORKERS}, 'b': 2}}\n"
            f"for each in 'cd':\n    {WORKERS}[each] = 3\n"
        ),
    }
    steps = explain(resolved(tmp_path, files), "WORKERS").steps
    assert [(step.role, step.source) for step in steps] == [
        ("used", "shop/settings.py:2"),
        ("replaced", "shop/base.py:1"),
        ("changed", "shop/settings.py:4"),
        ("over", "default"),
        ("unset", "$LIGHTWEIGHT_QUEUE_WORKERS"),
    ]
