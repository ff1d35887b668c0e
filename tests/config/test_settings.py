"""One declaration per setting: what follows from a field, for settings that are there and for one
that is declared here alone."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import Field, ValidationError

from dlq.config import PREFIX
from dlq.config.explain import explain, show
from dlq.config.json_schema import schema
from dlq.config.resolution import Resolution
from dlq.config.resolve import resolve
from dlq.config.settings import SETTING_NAMES, Settings, default
from dlq.config.sources.text_values import kind_of

FIELDS = {name: Settings.model_fields[name.lower()] for name in SETTING_NAMES}
NUMBERS = [name for name, field in FIELDS.items() if kind_of(field) in {"whole", "number"}]
FLAGS = [name for name, field in FIELDS.items() if kind_of(field) == "flag"]


def resolved(values: dict[str, object], environ: dict[str, str] | None = None) -> Resolution:
    settings = SimpleNamespace(**{PREFIX + name: value for name, value in values.items()})
    environ = {PREFIX + name: text for name, text in (environ or {}).items()}
    return resolve(settings, environ=environ)


class WithDummy(Settings):
    """As if a setting had been added to `Settings`."""

    dummy_limit: int = Field(7, ge=1, le=9, description="How much of it.")
    dummy_names: tuple[Annotated[str, Field(min_length=2)], ...] = Field((), description="Which.")


def with_dummy(
    values: dict[str, object], *files: str, environ: dict[str, str] | None = None
) -> Resolution:
    settings = SimpleNamespace(**{PREFIX + name: value for name, value in values.items()})
    return resolve(settings, override_files=files, environ=environ or {}, settings_class=WithDummy)


def test_a_new_setting_has_everything_by_its_declaration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.toml").write_text("dummy_limit = 5\n")
    Path("b.py").write_text("LIGHTWEIGHT_QUEUE_DUMMY_LIMIT = '6'\n")
    environ = {"LIGHTWEIGHT_QUEUE_DUMMY_LIMIT": " 8 ", "LIGHTWEIGHT_QUEUE_DUMMY_NAMES": "ab, cd"}

    resolution = with_dummy({"DUMMY_LIMIT": None}, "a.toml", "b.py", environ=environ)
    assert resolution.findings == ()
    settings = resolution.settings
    assert isinstance(settings, WithDummy)
    assert settings.dummy_limit == 8
    assert settings.dummy_names == ("ab", "cd")

    explanation = explain(resolution, "dummy_limit", WithDummy)
    assert explanation.description == "How much of it."
    assert [(step.role, step.source, step.value) for step in explanation.steps] == [
        ("used", "$LIGHTWEIGHT_QUEUE_DUMMY_LIMIT", "8"),
        ("over", "b.py:1", '"6"'),
        ("over", "a.toml:1", "5"),
        ("over", "Django settings", "null"),
        ("over", "default", "7"),
    ]
    assert {row.name: row.value for row in show(resolution)}["DUMMY_LIMIT"] == "8"


@pytest.mark.parametrize(
    ("values", "environ", "message"),
    [
        ({"DUMMY_LIMIT": 10}, {}, "DUMMY_LIMIT is 10: must be a whole number from 1 to 9"),
        ({"DUMMY_LIMIT": "0"}, {}, "DUMMY_LIMIT is '0': must be a whole number from 1 to 9"),
        ({"DUMMY_LIMIT": True}, {}, "DUMMY_LIMIT is True: must be a whole number from 1 to 9"),
        ({"DUMMY_NAMES": "x"}, {}, "DUMMY_NAMES is 'x': must be a list of values"),
        ({"DUMMY_NAMES": ("ab", "c")}, {}, "DUMMY_NAMES[1] is 'c': must be text"),
        ({"DUMMY_LIMITS": 3}, {}, "unknown setting LIGHTWEIGHT_QUEUE_DUMMY_LIMITS"),
        ({}, {"LIGHTWEIGHT_QUEUE_DUMMY_LIMIT": "x"}, "DUMMY_LIMIT is 'x': must be a whole number"),
    ],
)
def test_a_new_setting_has_messages(
    values: dict[str, object], environ: dict[str, str], message: str
) -> None:
    (finding,) = with_dummy(values, environ=environ).findings
    assert message in finding.message


def test_a_new_setting_is_in_the_schema() -> None:
    content = schema(WithDummy)
    assert content["properties"]["dummy_limit"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 9,
        "default": 7,
        "description": "How much of it.",
    }
    assert Draft202012Validator(content).is_valid({"dummy_limit": 9})
    assert not Draft202012Validator(content).is_valid({"dummy_limit": 10})


def test_settings_are_made_without_a_look_at_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REDIS_PORT", "redis_port", f"{PREFIX}REDIS_PORT"):
        monkeypatch.setenv(name, "1234")
    assert Settings().redis_port == 6379
    assert Settings(redis_database=3).redis_port == 6379
    with pytest.raises(ValidationError, match="redis_prot"):
        Settings(redis_prot=1)  # type: ignore[call-arg]  # that is the point


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_may_be_decimal_text_in_any_source(name: str) -> None:
    """`os.environ.get("REDIS_PORT", 6379)` is how Django settings are written."""
    number = int(default(name) or 60) + 1
    for text in (str(number), f" {number} ", f"+{number}"):
        for resolution in (resolved({name: text}), resolved({}, {name: text})):
            assert resolution.findings == ()
            assert getattr(resolution.settings, name.lower()) == number
            assert resolution.values[name].value == number


@pytest.mark.parametrize("name", FLAGS)
@pytest.mark.parametrize(("value", "flag"), [(0, False), (1, True), ("0", False), ("1", True)])
def test_a_flag_may_be_0_or_1(name: str, value: object, flag: bool) -> None:
    resolution = resolved({name: value})
    assert resolution.findings == ()
    assert getattr(resolution.settings, name.lower()) is flag
    assert resolution.values[name].value is flag


@pytest.mark.parametrize("name", SETTING_NAMES)
def test_none_is_the_default_of_a_scalar_that_has_no_none(name: str) -> None:
    """Not of a list or a table, and not of BACKEND: without one, jobs would run in the web
    process."""
    resolution = resolved({name: None})
    if kind_of(FIELDS[name]) in {"list", "table"} or name == "BACKEND":
        assert [finding.id for finding in resolution.findings] == ["dlq.E103"]
        return
    assert resolution.findings == ()
    is_optional = name in {
        "REDIS_PASSWORD", "REDIS_URL", "REDIS_SOCKET_TIMEOUT", "STOP_TIMEOUT",
    }  # fmt: skip
    expected = None if is_optional else default(name)
    assert getattr(resolution.settings, name.lower()) == expected
    assert resolution.values[name].value == expected
    assert resolution.values[name].kind == "django"


@pytest.mark.parametrize("value", [True, "3", 3.0, None])
def test_the_items_of_workers_stay_strict(value: object) -> None:
    (finding,) = resolved({"WORKERS": {"emails": value}}).findings
    assert finding.id == "dlq.E101"


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", [10**400, 10**30, 1e300, 1e12, "9" * 18, "1e300"])
def test_every_number_has_an_upper_bound_that_is_named(name: str, value: object) -> None:
    """A number beyond it stops a queue with an OverflowError, if not a server."""
    properties = schema()["properties"][name.lower()]
    most = properties.get("maximum") or properties["anyOf"][0]["maximum"]
    for resolution in (resolved({name: value}), resolved({}, {name: str(value)})):
        codes = {finding.id for finding in resolution.findings}
        assert codes <= {"dlq.E103", "dlq.E104", "dlq.E006"}
        assert codes
        assert resolution.settings is None
    (finding,) = resolved({name: value}).findings
    assert f"{most}" in finding.message
    highest = resolved({name: most, **({"DEQUEUE_TIMEOUT": 1} if "TIMEOUT" in name else {})})
    assert [f for f in highest.findings if f.id == "dlq.E104"] == []


ANYTHING = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(st.one_of(st.sampled_from("aZ09 *[]^:/.@?é\ud800"), st.characters())),
        st.sampled_from(["a.b.C", "redis://h", "first", "UTC", b"x", len, object(), int]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.text(), st.integers(), st.none()), inner, max_size=3),
    ),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from(SETTING_NAMES), ANYTHING, min_size=1, max_size=4))
def test_any_value_is_taken_or_found(values: dict[str, Any]) -> None:
    resolution = resolved(values)
    codes = {finding.id for finding in resolution.findings if finding.level == "error"}
    assert (resolution.settings is None) == bool(codes)
    json.dumps([show(resolution), resolution.findings])


@given(st.sampled_from(SETTING_NAMES), st.text())
def test_any_text_of_a_variable_is_taken_or_found(name: str, text: str) -> None:
    resolution = resolved({}, {name: text})
    errors = [finding for finding in resolution.findings if finding.level == "error"]
    assert (resolution.settings is None) == bool(errors)
    assert all(finding.source and finding.source.name == PREFIX + name for finding in errors)
