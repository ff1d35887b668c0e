"""default < Django settings < override files in their order < environment; whole values, never
merged. The rule is stated here once more, in its plainest form, and compared with the real one."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dlq.config.layers import Layers
from dlq.config.settings import SETTING_NAMES, Settings, default
from dlq.config.sources.settings_source import SettingsSource
from dlq.primitives.frozen import FrozenDict
from dlq.provenance.setting_location import SettingLocation
from dlq.types import Source
from tests.config.projects import django_settings, resolved, write

DJANGO = (
    'LIGHTWEIGHT_QUEUE_WORKERS = {"emails": 3, "images": 2}\nLIGHTWEIGHT_QUEUE_REDIS_PORT = 1\n'
)
PYTHON = 'LIGHTWEIGHT_QUEUE_WORKERS = {"images": 6}\nLIGHTWEIGHT_QUEUE_REDIS_PORT = 2\n'
TOML = "redis_port = 3\n[workers]\nreports = 1\n"
JSON = '{"workers": {"stock": 9}, "redis_port": 4}\n'
ENVIRONMENT = {"LIGHTWEIGHT_QUEUE_WORKERS": "webhooks=7", "LIGHTWEIGHT_QUEUE_REDIS_PORT": "5"}


@pytest.fixture(autouse=True)
def _in_the_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("files", "environ", "workers", "port", "label"),
    [
        ([], {}, {"emails": 3, "images": 2}, 1, "shop/settings.py:1"),
        (["a.py"], {}, {"images": 6}, 2, "a.py:1"),
        (["b.toml"], {}, {"reports": 1}, 3, "b.toml:2"),
        (["c.json"], {}, {"stock": 9}, 4, "c.json:1"),
        (["a.py", "b.toml"], {}, {"reports": 1}, 3, "b.toml:2"),
        (["b.toml", "a.py"], {}, {"images": 6}, 2, "a.py:1"),
        (["a.py", "b.toml", "c.json"], {}, {"stock": 9}, 4, "c.json:1"),
        (["a.py"], ENVIRONMENT, {"webhooks": 7}, 5, "$LIGHTWEIGHT_QUEUE_WORKERS"),
        ([], ENVIRONMENT, {"webhooks": 7}, 5, "$LIGHTWEIGHT_QUEUE_WORKERS"),
    ],
)
def test_the_highest_source_owns_the_whole_value(
    tmp_path: Path,
    files: list[str],
    environ: dict[str, str],
    workers: dict[str, int],
    port: int,
    label: str,
) -> None:
    write(tmp_path, {"a.py": PYTHON, "b.toml": TOML, "c.json": JSON})
    resolution = resolved(tmp_path, {"shop/settings.py": DJANGO}, *files, environ=environ)
    assert resolution.findings == ()
    assert resolution.settings is not None
    assert dict(resolution.settings.workers) == workers
    assert resolution.settings.redis_port == port
    assert resolution.source_of("WORKERS").label == label


def test_what_is_hidden_is_remembered_the_nearest_first(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": PYTHON, "b.toml": TOML})
    resolution = resolved(
        tmp_path, {"shop/settings.py": DJANGO}, "a.py", "b.toml", environ=ENVIRONMENT
    )
    hidden = [(h.value, h.source.label) for h in resolution.values["REDIS_PORT"].hides]
    assert hidden == [(3, "b.toml:1"), (2, "a.py:2"), (1, "shop/settings.py:2")]


@pytest.mark.parametrize(
    ("below", "above", "value"),
    [
        ("LIGHTWEIGHT_QUEUE_REDIS_PASSWORD = 'x'", "LIGHTWEIGHT_QUEUE_REDIS_PASSWORD = None", None),
        ("LIGHTWEIGHT_QUEUE_ATOMIC_JOBS = True", "LIGHTWEIGHT_QUEUE_ATOMIC_JOBS = False", False),
        ("LIGHTWEIGHT_QUEUE_REDIS_PORT = 1", "LIGHTWEIGHT_QUEUE_REDIS_PORT = 6379", 6379),
        ("LIGHTWEIGHT_QUEUE_WORKERS = {'a': 1}", "LIGHTWEIGHT_QUEUE_WORKERS = {}", FrozenDict()),
        ("LIGHTWEIGHT_QUEUE_STOP_TIMEOUT = 3", "LIGHTWEIGHT_QUEUE_STOP_TIMEOUT = None", None),
    ],
)
def test_an_explicit_nothing_still_wins(
    tmp_path: Path, below: str, above: str, value: object
) -> None:
    write(tmp_path, {"a.py": above})
    resolution = resolved(tmp_path, {"shop/settings.py": below}, "a.py")
    name = below.partition(" ")[0].removeprefix("LIGHTWEIGHT_QUEUE_")
    assert getattr(resolution.settings, name.lower()) == value
    assert resolution.source_of(name).label == "a.py:1"


def test_an_unreadable_variable_lets_nothing_lower_shine_through(tmp_path: Path) -> None:
    resolution = resolved(
        tmp_path,
        {"shop/settings.py": DJANGO},
        environ={"LIGHTWEIGHT_QUEUE_WORKERS": '{"q":'},
    )
    assert resolution.settings is None
    assert resolution.source_of("WORKERS").label == "$LIGHTWEIGHT_QUEUE_WORKERS"
    assert [finding.id for finding in resolution.findings] == ["dlq.E006"]


def test_a_part_in_a_higher_source_replaces_the_url(tmp_path: Path) -> None:
    resolution = resolved(
        tmp_path,
        {"shop/settings.py": "LIGHTWEIGHT_QUEUE_REDIS_URL = 'redis://u:pw@h/3'\n"},
        environ={"LIGHTWEIGHT_QUEUE_REDIS_HOST": "other"},
    )
    assert resolution.settings is not None
    assert resolution.settings.redis_url is None
    assert resolution.settings.redis_host == "other"
    (finding,) = resolution.findings
    assert finding.id == "dlq.W109"
    assert "$LIGHTWEIGHT_QUEUE_REDIS_HOST" in finding.message
    assert "shop/settings.py:1" in finding.message
    (hidden,) = resolution.values["REDIS_URL"].hides
    assert hidden.source.label == "shop/settings.py:1"


def test_a_url_beside_a_part_is_reported_with_both_places(tmp_path: Path) -> None:
    """The Django settings are one source also where several files write them."""
    (finding,) = resolved(
        tmp_path,
        {
            "shop/base.py": "LIGHTWEIGHT_QUEUE_REDIS_URL = 'redis://h/3'\n",
            "shop/settings.py": "from .base import *\n\nLIGHTWEIGHT_QUEUE_REDIS_PORT = 6380\n",
        },
    ).findings
    assert finding.id == "dlq.E107"
    assert "REDIS_URL (shop/base.py:1) is set beside" in finding.message
    assert "REDIS_PORT (shop/settings.py:3)" in finding.message


def test_of_two_files_the_higher_one_counts(tmp_path: Path) -> None:
    write(tmp_path, {"a.toml": "redis_url = 'redis://h'\n", "b.toml": "redis_port = 6380\n"})
    (finding,) = resolved(tmp_path, {"shop/settings.py": ""}, "a.toml", "b.toml").findings
    assert finding.id == "dlq.W109"
    assert "REDIS_PORT (b.toml:1) replaces" in finding.message
    assert "REDIS_URL (a.toml:1)" in finding.message


def test_a_url_in_a_higher_source_replaces_the_parts(tmp_path: Path) -> None:
    resolution = resolved(
        tmp_path,
        {"shop/settings.py": "LIGHTWEIGHT_QUEUE_REDIS_HOST = 'h'\n"},
        environ={"LIGHTWEIGHT_QUEUE_REDIS_URL": "redis://other"},
    )
    assert resolution.findings == ()
    assert resolution.settings is not None
    assert resolution.settings.redis_url is not None
    assert resolution.settings.redis_url.get_secret_value() == "redis://other"


NAMES = st.sampled_from([n for n in SETTING_NAMES if not n.startswith("REDIS_")])
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(0, 3),
    st.dictionaries(st.sampled_from("abc"), st.integers()),
)


class NumberedSource(SettingsSource):
    """Any values, written in a file that is called after the source's place in the order."""

    kind = "file"

    def __init__(self, number: int, values: dict[str, Any]) -> None:
        super().__init__(Settings)
        self.number = number
        self.values = values

    def location_of(self, name: str) -> SettingLocation:
        return SettingLocation(Source("file", file=f"{self.number}:{name}"))


@given(st.lists(st.dictionaries(NAMES, VALUES, max_size=4), max_size=5))
def test_precedence_is_the_last_that_has_the_name(values: list[dict[str, Any]]) -> None:
    sources = [NumberedSource(number, each) for number, each in enumerate(values)]
    layers = Layers(Settings, sources[::-1])
    with suppress(ValidationError):
        Settings.read(layers.sources)
    in_force = layers.values_in_force()
    for name in SETTING_NAMES:
        owners = [number for number, each in enumerate(values) if name in each]
        value = layers[name]
        if not owners:
            assert name not in in_force
            assert value.value == default(name)
            assert value.source.kind == "default"
            continue
        assert in_force[name] is values[owners[-1]][name]
        assert value.source.file == f"{owners[-1]}:{name}"
        assert [h.source.file for h in value.hides] == [f"{i}:{name}" for i in owners[-2::-1]]


def test_nothing_of_the_user_is_written_to(tmp_path: Path) -> None:
    from copy import deepcopy

    from dlq.config.resolve import resolve

    write(tmp_path, {"shop/settings.py": DJANGO, "a.py": PYTHON})
    with django_settings(tmp_path, "shop.settings") as settings:
        import sys

        module = sys.modules["shop.settings"]
        before = deepcopy({name: value for name, value in vars(module).items() if name.isupper()})
        resolution = resolve(settings, override_files=["a.py"], environ={})
        value = resolution.values["WORKERS"].hides[0].value
        assert isinstance(value, dict)
        value["changed"] = 1
        assert {n: v for n, v in vars(module).items() if n.isupper()} == before
        module.LIGHTWEIGHT_QUEUE_WORKERS["later"] = 1
        assert resolution.settings is not None
        assert dict(resolution.settings.workers) == {"images": 6}


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    settings = resolved(tmp_path, {"shop/settings.py": DJANGO}).settings
    assert settings is not None
    with pytest.raises(TypeError):
        settings.workers["q"] = 1  # type: ignore[index]  # that is the point
    with pytest.raises(ValidationError, match="frozen"):
        settings.redis_port = 3  # type: ignore[misc]  # that is the point
