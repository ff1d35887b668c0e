"""`dlq config` as data: what is shown, what is explained, and the schema of override files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from dlq.config.explain import explain, settings_json, show
from dlq.config.json_schema import schema
from dlq.config.resolution import Resolution
from dlq.config.settings import SETTING_NAMES
from dlq.errors import UsageError
from tests.config.projects import resolved, write

ROOT = Path(__file__).parents[2]


@pytest.fixture
def resolution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Resolution:
    monkeypatch.chdir(tmp_path)
    write(
        tmp_path,
        {
            "shop/base.py": 'LIGHTWEIGHT_QUEUE_WORKERS = {"emails": 3}\n',
            "special.py": 'LIGHTWEIGHT_QUEUE_WORKERS = {\n    "images": 6,\n}\n',
        },
    )
    return resolved(
        tmp_path,
        {
            "shop/settings.py": "from .base import *\nLIGHTWEIGHT_QUEUE_REDIS_PASSWORD = 'x'\n"
            "LIGHTWEIGHT_QUEUE_LOGGER_FACTORY = print\n"
        },
        "special.py",
        environ={"LIGHTWEIGHT_QUEUE_REDIS_PORT": "6390"},
    )


def test_show_has_every_setting_with_its_source(resolution: Resolution) -> None:
    rows = {row.name: row for row in show(resolution)}
    assert tuple(rows) == SETTING_NAMES
    workers = rows["WORKERS"]
    assert (workers.value, workers.source) == ('{"images": 6}', "special.py:1")
    assert workers.instead_of == ('{"emails": 3} (shop/base.py:1)',)
    assert rows["REDIS_PORT"].source == "$LIGHTWEIGHT_QUEUE_REDIS_PORT"
    assert rows["REDIS_PASSWORD"].value == "********"
    assert (rows["ATOMIC_JOBS"].value, rows["ATOMIC_JOBS"].source) == ("true", "default")
    assert rows["LOGGER_FACTORY"].value == '"builtins.print"'


@pytest.mark.parametrize("name", ["WORKERS", "workers", "LIGHTWEIGHT_QUEUE_WORKERS"])
def test_explain_goes_from_the_used_to_the_default(resolution: Resolution, name: str) -> None:
    explanation = explain(resolution, name)
    assert (explanation.name, explanation.value) == ("WORKERS", '{"images": 6}')
    assert [(s.role, s.source, s.value, s.what) for s in explanation.steps] == [
        ("used", "special.py:1", '{"images": 6}', "override file"),
        ("over", "shop/base.py:1", '{"emails": 3}', "Django settings"),
        ("over", "default", "{}", None),
        ("unset", "$LIGHTWEIGHT_QUEUE_WORKERS", None, None),
    ]
    assert "replaces" in explanation.description


def test_explain_of_the_environment(resolution: Resolution) -> None:
    steps = [(s.role, s.source) for s in explain(resolution, "redis_port").steps]
    assert steps == [("used", "$LIGHTWEIGHT_QUEUE_REDIS_PORT"), ("over", "default")]


def test_explain_of_a_name_that_is_none(resolution: Resolution) -> None:
    with pytest.raises(UsageError, match="did you mean REDIS_PORT"):
        explain(resolution, "redis_prot")


def test_the_settings_of_the_plan(resolution: Resolution) -> None:
    content = settings_json(resolution)
    assert json.loads(json.dumps(content)) == content
    assert content["WORKERS"] == {
        "value": {"images": 6},
        "source": "special.py:1:29",
        "hides": [{"value": {"emails": 3}, "source": "shop/base.py:1:29"}],
    }


def test_the_schema_is_one_and_describes_every_key() -> None:
    content = schema()
    Draft202012Validator.check_schema(content)
    assert set(content["properties"]) == {name.lower() for name in SETTING_NAMES}
    assert all(p["description"] and "default" in p for p in content["properties"].values())
    assert content["additionalProperties"] is False
    Draft202012Validator(content).validate(
        {name: p["default"] for name, p in content["properties"].items()}
    )


def test_the_schema_accepts_the_examples() -> None:
    import tomllib

    validator = Draft202012Validator(schema())
    examples = sorted((ROOT / "config-examples").glob("*.toml"))
    assert examples
    for path in examples:
        validator.validate(tomllib.loads(path.read_text()))


@pytest.mark.parametrize(
    ("content", "good"),
    [
        ({"workers": {"emails": 3}, "redis_password": None, "stop_timeout": 2.5}, True),
        ({"workers": {"emails": -1}}, False),
        ({"workers": {"emails": "3"}}, False),
        ({"workers": {"emails": True}}, False),
        ({"workers": {"a*": 1}}, False),
        ({"workers": {"x:pause": 1}}, False),
        ({"workers": {"x:processing:1": 1}}, False),
        ({"workers": {"a:b": 1}}, True),
        ({"WORKERS": {"emails": 3}}, False),
        ({"backend": "redis"}, False),
        ({"middleware": "a.b.C"}, False),
        ({"middleware": ["a.b.C"]}, True),
        ({"redis_port": 70000}, False),
        ({"cron_machines": "some"}, False),
        ({"redis_socket_timeout": 0}, False),
    ],
)
def test_the_schema_agrees_with_the_validation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: dict[str, Any], good: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Draft202012Validator(schema()).is_valid(content) == good
    Path("x.json").write_text(json.dumps(content))
    resolution = resolved(tmp_path, {"shop/settings.py": ""}, "x.json")
    assert (resolution.findings == ()) == good
