"""Text of the environment is read by the type of its setting, or is told to be unreadable."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from dlq.config.resolution import Resolution
from dlq.config.resolve import resolve
from dlq.config.settings import SETTING_NAMES
from dlq.diagnostics.formats import as_json, concise, github, sarif


def resolved(**environ: str) -> Resolution:
    variables = {f"LIGHTWEIGHT_QUEUE_{name}": text for name, text in environ.items()}
    return resolve(SimpleNamespace(), environ=variables)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("WORKERS", "emails=3,images=2", {"emails": 3, "images": 2}),
        ("WORKERS", " emails = 3 , images=2, ", {"emails": 3, "images": 2}),
        ("WORKERS", '{"emails": 3}', {"emails": 3}),
        ("WORKERS", "{}", {}),
        ("BACKEND_OVERRIDES", "emails=a.b.C", {"emails": "a.b.C"}),
        ("BACKEND", "a.b.C", "a.b.C"),
        ("MIDDLEWARE", "a.b.C,d.e.F", ("a.b.C", "d.e.F")),
        ("MIDDLEWARE", '["a.b.C"]', ("a.b.C",)),
        ("MIDDLEWARE", "[]", ()),
        ("ATOMIC_JOBS", "no", False),
        ("ATOMIC_JOBS", "TRUE", True),
        ("ATOMIC_JOBS", "0", False),
        ("ATOMIC_JOBS", " on ", True),
        ("REDIS_PORT", "6380", 6380),
        ("REDIS_PORT", " 6380 ", 6380),
        ("STOP_TIMEOUT", "2.5", 2.5),
        ("STOP_TIMEOUT", "none", None),
        ("CRON_MACHINES", "all", "all"),
        ("PLACEMENT", "stable", "stable"),
        ("LOGGER_FACTORY", "a.b.c", "a.b.c"),
    ],
)
def test_text_is_read_by_type(name: str, text: str, value: object) -> None:
    resolution = resolved(**{name: text})
    assert resolution.findings == ()
    found = getattr(resolution.settings, name.lower())
    assert (dict(found) if isinstance(value, dict) else found) == value
    assert resolution.source_of(name).label == f"$LIGHTWEIGHT_QUEUE_{name}"


@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_variable_counts_as_unset(text: str) -> None:
    """For every setting: it is how compose files and unit files say that there is none."""
    values = {
        "WORKERS": {"emails": 3},
        "MIDDLEWARE": ["a.b.C"],
        "REDIS_PASSWORD": "x",
        "STOP_TIMEOUT": 3,
        "ATOMIC_JOBS": False,
    }
    settings = SimpleNamespace(**{f"LIGHTWEIGHT_QUEUE_{n}": v for n, v in values.items()})
    environ = {f"LIGHTWEIGHT_QUEUE_{name}": text for name in SETTING_NAMES}
    resolution = resolve(settings, environ=environ)
    assert resolution.findings == ()
    assert resolution.settings == resolve(settings, environ={}).settings
    assert {name: value.kind for name, value in resolution.values.items()} == {
        name: "django" if name in values else "default" for name in SETTING_NAMES
    }


@pytest.mark.parametrize(
    ("name", "text", "code", "message"),
    [
        (
            "WORKERS",
            '{"q":',
            "E006",
            "environment LIGHTWEIGHT_QUEUE_WORKERS is '{\"q\":': JSON error at",
        ),
        ("WORKERS", '{"q": 1, "q": 2}', "E006", "names 'q' twice"),
        ("WORKERS", "q=1,q=2", "E006", "names queue 'q' twice"),
        ("WORKERS", "emails", "E006", "'emails' is no pair of a queue and its value"),
        ("WORKERS", "[1]", "E006", "must be a JSON object, or pairs"),
        ("WORKERS", "q=three", "E101", "WORKERS['q'] is 'three': must be a whole number"),
        ("WORKERS", "q=-1", "E101", "a queue cannot have fewer than 0 workers"),
        ("MIDDLEWARE", '{"a": 1}', "E006", "must be a list"),
        ("MIDDLEWARE", "[" * 100_000, "E006", "is nested too deep"),
        ("MIDDLEWARE", "[" + "9" * 5000 + "]", "E006", "digits"),
        ("MIDDLEWARE", "C", "E110", "MIDDLEWARE[0] is 'C': must be a dotted path"),
        ("ATOMIC_JOBS", "maybe", "E006", "must be true or false"),
        (
            "REDIS_PORT",
            "abc",
            "E006",
            "REDIS_PORT is 'abc': must be a whole number from 1 to 65535",
        ),
        ("REDIS_PORT", "6_379", "E006", "must be a whole number"),
        (
            "REDIS_PORT",
            "70000",
            "E104",
            "REDIS_PORT is 70000: must be a whole number from 1 to 65535",
        ),
        ("STOP_TIMEOUT", "nan", "E006", "a number of seconds from 0 to 2592000, or none"),
        ("FOO", "1", "W002", "unknown setting LIGHTWEIGHT_QUEUE_FOO"),
        ("REDIS_HOST", "a\udcffb", "E007", "is not UTF-8: byte 0xff at offset 1"),
        ("REDIS_HOST", "é\0", "E007", "has a NUL byte at offset 2"),
    ],
)
def test_unreadable_text_is_reported(name: str, text: str, code: str, message: str) -> None:
    (finding,) = resolved(**{name: text}).findings
    assert finding.id == f"dlq.{code}"
    assert message in finding.message
    assert finding.source is not None
    assert finding.source.label == f"$LIGHTWEIGHT_QUEUE_{name}"


def test_the_json_error_says_the_character() -> None:
    (finding,) = resolved(WORKERS='{"q":').findings
    assert "character 6" in finding.message


@pytest.mark.parametrize("variable", ["lightweight_queue_workers", "LIGHTWEIGHT_QUEUES_WORKERS"])
def test_a_variable_that_is_almost_one_is_reported(variable: str) -> None:
    (finding,) = resolve(SimpleNamespace(), environ={variable: "q=1"}).findings
    assert finding.id == "dlq.W002"
    assert finding.help == "did you mean LIGHTWEIGHT_QUEUE_WORKERS?"


def test_other_variables_are_left_alone() -> None:
    environ = {"PATH": "/bin", "DJANGO_SETTINGS_MODULE": "x", "HOME": "\udcff"}
    assert resolve(SimpleNamespace(), environ=environ).findings == ()


def test_an_unreadable_secret_is_not_shown() -> None:
    resolution = resolved(REDIS_PASSWORD="canary\udcff")
    (finding,) = resolution.findings
    assert finding.id == "dlq.E007"
    assert "canary" not in f"{finding.message} {finding.help}"


def test_the_variable_is_the_place_in_every_format() -> None:
    findings = resolved(REDIS_PORT="70000").findings
    variable = "LIGHTWEIGHT_QUEUE_REDIS_PORT"
    (fields,) = json.loads(as_json(findings))["findings"]
    assert (fields["variable"], fields["file"]) == (variable, None)
    assert github(findings).startswith(f"::error title=dlq.E104::${variable}: ")
    (result,) = json.loads(sarif(findings))["runs"][0]["results"]
    assert result["locations"] == [{"logicalLocations": [{"name": variable, "kind": "variable"}]}]
    assert concise(findings).startswith(f"${variable}: error dlq.E104 ")
