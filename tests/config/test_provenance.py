"""A value's place is the place that wrote it, or no line at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.projects import django_settings, resolved, write

BASE = """\
LIGHTWEIGHT_QUEUE_WORKERS = {
    "emails": 3,
    "images": 2,
}
LIGHTWEIGHT_QUEUE_REDIS_PORT = 6380
"""


@pytest.fixture(autouse=True)
def _in_the_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


FOR_TYPE_CHECKERS = """\
import typing
from .base import *
if typing.TYPE_CHECKING:
    from .local import *
"""
PORT = "LIGHTWEIGHT_QUEUE_REDIS_PORT"
WORKERS = "LIGHTWEIGHT_QUEUE_WORKERS"


@pytest.mark.parametrize(
    ("text", "position"),
    [
        # Plain assignments.
        (f"{PORT} = 7000\n", "shop/settings.py:1:32"),
        (f"{PORT}: int = 7000\n", "shop/settings.py:1:37"),
        (f"OTHER = {PORT} = 7000\n", "shop/settings.py:1:40"),
        (f"a, {PORT} = 1, 7000\n", "shop/settings.py:1:4"),
        (f"é = 1; {PORT} = 7000\n", "shop/settings.py:1:39"),
        (f"# b\n\n{PORT} = 7000\n{PORT} = 7001\n", "shop/settings.py:4:32"),
        (f"{PORT} = 7000\n{PORT} = 7000\n", "shop/settings.py:2:32"),
        (f"{PORT} = int('7000')\n", "shop/settings.py:1:32"),
        (f"N = 7000\n{PORT} = N\n", "shop/settings.py:2:32"),
        # Star imports, in their order.
        ("from .base import *\n", "shop/base.py:5:32"),
        ("from shop.base import *\n", "shop/base.py:5:32"),
        (f"from .base import *\n{PORT} = 7000\n", "shop/settings.py:2:32"),
        (f"{PORT} = 7000\nfrom .base import *\n", "shop/base.py:5:32"),
        (f"from .base import {PORT}\n", "shop/base.py:5:32"),
        ("from .base import *\nfrom .local import *\n", "shop/local.py:1:32"),
        ("from .local import *\nfrom .base import *\n", "shop/base.py:5:32"),
        (f"from .alias import OTHER_PORT as {PORT}\n", "shop/alias.py:1:14"),
        # Conditional: only where it is certain which branch ran.
        (f"if True:\n    {PORT} = 7000\n", "shop/settings.py:2:36"),
        (f"{PORT} = 1\nif 1 + 1 == 2:\n    {PORT} = 7000\n", "shop/settings.py:3:36"),
        (f"{PORT} = 1\nif 1 + 1 == 3:\n    {PORT} = 7000\n", "shop/settings.py:1:32"),
        (f"if 1 == 2:\n    {PORT} = 1\nelse:\n    {PORT} = 2\n", "shop/settings.py:4:36"),
        (f"{PORT} = 7000\nif 1 == 2:\n    {PORT} = 7000\n", "shop/settings.py"),
        (f"{PORT} = 7000\nif 1 == 2:\n    {PORT} = int('1')\n", "shop/settings.py"),
        (f"for {PORT} in (7, 8):\n    pass\n", "shop/settings.py:1:5"),
        (f"{PORT} = 8\nfor {PORT} in (7, 8):\n    pass\n", "shop/settings.py"),
        ("try:\n    from .local import *\nexcept ImportError:\n    pass\n", "shop/local.py:1:32"),
        (
            "from .base import *\ntry:\n    from .local import *\nexcept ImportError:\n    pass\n",
            "shop/local.py:1:32",
        ),
        (
            "from .base import *\ntry:\n    from .none import *\nexcept ImportError:\n    pass\n",
            "shop/base.py:5:32",
        ),
        (
            FOR_TYPE_CHECKERS,
            "shop/base.py:5:32",
        ),
        # Written in ways that the text doesn't tell.
        (f"globals()['{PORT}'] = 7000\n", "shop/settings.py"),
        (f"exec('{PORT} = 7000')\n", "shop/settings.py"),
        (f"{PORT} = 1\nexec('{PORT} = 7000')\n", "shop/settings.py"),
        (f"{PORT} = int('1')\nexec('{PORT} = 7000')\n", "shop/settings.py"),
        (f"{PORT} = 7000\nexec('X = 1')\n", "shop/settings.py:1:32"),
        (f"def f():\n    global {PORT}\n    {PORT} = 7000\n{PORT} = 1\nf()\n", "shop/settings.py"),
        (f"del_me = 1\n{PORT} = 1\ndel {PORT}\n{PORT} = 2\n", "shop/settings.py:4:32"),
    ],
)
def test_the_place_of_a_value(tmp_path: Path, text: str, position: str) -> None:
    files = {
        "shop/settings.py": text,
        "shop/base.py": BASE,
        "shop/local.py": f"{PORT} = 6381\n",
        "shop/alias.py": "OTHER_PORT = 6382\n",
    }
    assert resolved(tmp_path, files).source_of("REDIS_PORT").location == position


@pytest.mark.parametrize(
    ("text", "setting", "items"),
    [
        ("from .base import *\n", "shop/base.py:1:29", {"emails": "2:15", "images": "3:15"}),
        (
            f'{WORKERS} = {{"a": 1}}\n{WORKERS}["b"] = 2\n',
            "shop/settings.py:1:29",
            {"a": "1:35", "b": "2:34"},
        ),
        (
            f'{WORKERS} = {{"a": 1}}\n{WORKERS}["a"] = 2\n',
            "shop/settings.py:1:29",
            {"a": "2:34"},
        ),
        (
            f'{WORKERS} = {{"a": 1, "b": 1}}\n{WORKERS}.update({{"b": 2}}, c=3)\n',
            "shop/settings.py:1:29",
            {"a": "1:35", "b": "2:40", "c": "2:46"},
        ),
        (
            f'{WORKERS} = dict(a=1)\n{WORKERS} |= {{"b": 2}}\n',
            "shop/settings.py:1:29",
            {"a": "1:36", "b": "2:36"},
        ),
        (
            f'{WORKERS} = {{"a": 1, "b": 1}}\ndel {WORKERS}["b"]\n{WORKERS}.pop("x", None)\n',
            "shop/settings.py:1:29",
            {"a": "1:35"},
        ),
        (
            f'from .base import *\n{WORKERS} = {{**{WORKERS}, "images": 5}}\n',
            "shop/settings.py:2:29",
            {"emails": "shop/base.py:2:15", "images": "2:69"},
        ),
        (
            f'from .base import *\n{WORKERS} = {WORKERS} | {{"images": 5}}\n',
            "shop/settings.py:2:29",
            {"emails": "shop/base.py:2:15", "images": "2:68"},
        ),
        (
            f'from .base import *\n{WORKERS}["images"] = 5\n',
            "shop/base.py:1:29",
            {"emails": "shop/base.py:2:15", "images": "shop/settings.py:2:39"},
        ),
        (
            f'N = {{"a": 1}}\n{WORKERS} = N\nN["b"] = 2\n',
            "shop/settings.py",  # the text seems to say {"a": 1}, and the value says otherwise
            {},
        ),
        (
            f'{WORKERS} = {{name: 1 for name in "ab"}}\n',
            "shop/settings.py:1:29",
            {},
        ),
        (
            f'{WORKERS} = {{"a": 1, **{{name: 2 for name in "b"}}}}\n',
            "shop/settings.py:1:29",
            {},  # what is spread there may have written "a" again
        ),
        (
            f'{WORKERS} = {{**{{name: 2 for name in "b"}}, "a": 1}}\n',
            "shop/settings.py:1:29",
            {"a": "1:64"},
        ),
        (
            f'{WORKERS} = {{"a": 1}}\nif 1 == 1:\n    {WORKERS}["a"] = 2\n',
            "shop/settings.py:1:29",
            {"a": "3:38"},
        ),
        (
            f'{WORKERS} = {{"a": 1}}\nif 1 == 2:\n    {WORKERS}["a"] = 2\n',
            "shop/settings.py:1:29",
            {"a": "1:35"},
        ),
        (
            f'{WORKERS} = {{"a": 1}}\nif 1 == 2:\n    {WORKERS}["a"] = 1\n',
            "shop/settings.py:1:29",
            {},
        ),
        (
            f'{WORKERS} = {{"a": 1}}\n{WORKERS}.setdefault("b", 1)\n{WORKERS}.setdefault("a", 5)\n',
            "shop/settings.py:1:29",
            {"a": "1:35", "b": "2:43"},
        ),
    ],
)
def test_the_places_inside_a_dict(
    tmp_path: Path, text: str, setting: str, items: dict[str, str]
) -> None:
    files = {"shop/settings.py": text, "shop/base.py": BASE}
    value = resolved(tmp_path, files).values["WORKERS"]
    assert value.source.location == setting
    default_file = setting.partition(":")[0]
    assert {key: source.location for key, source in value.items.items()} == {
        key: place if "/" in place else f"{default_file}:{place}" for key, place in items.items()
    }


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
