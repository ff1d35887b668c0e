"""A canary in every place where a secret can stand, and a look at everything that is said."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from types import SimpleNamespace

import pytest

from dlq.config.explain import explain, settings_json, show
from dlq.config.redaction import MASK, display, json_value, masked_url
from dlq.config.resolution import Resolution
from dlq.config.resolve import resolve

CANARY = "canary42"

WAYS: list[tuple[dict[str, object], dict[str, str]]] = [
    ({"REDIS_PASSWORD": CANARY}, {}),
    ({"REDIS_PASSWORD": CANARY.encode()}, {}),
    ({"REDIS_PASSWORD": [CANARY]}, {}),
    ({"REDIS_URL": f"redis://u:{CANARY}@h:6379/0"}, {}),
    ({"REDIS_URL": f"redis://:{CANARY}@h:6379/0"}, {}),
    ({"REDIS_URL": f"redis://u:{CANARY}/x@h/0"}, {}),
    ({"REDIS_URL": f"redis://u:x@{CANARY}@h/0"}, {}),
    ({"REDIS_URL": f"redis://h/0?password={CANARY}"}, {}),
    ({"REDIS_URL": f"http://u:{CANARY}@h"}, {}),
    ({"REDIS_URL": f"u:{CANARY}@h"}, {}),
    ({"REDIS_URL": f"redis://u:{CANARY}@h:port"}, {}),
    ({"REDIS_URL": {"url": f"redis://u:{CANARY}@h"}}, {}),
    ({}, {"LIGHTWEIGHT_QUEUE_REDIS_PASSWORD": CANARY}),
    ({}, {"LIGHTWEIGHT_QUEUE_REDIS_PASSWORD": f"{CANARY}\udcff"}),
    ({}, {"LIGHTWEIGHT_QUEUE_REDIS_URL": f"redis://u:{CANARY}@h"}),
    ({"REDIS_PASSWORD": CANARY}, {"LIGHTWEIGHT_QUEUE_REDIS_PASSWORD": "other"}),
    (
        {"REDIS_URL": f"redis://u:{CANARY}@h", "REDIS_PASSWORD": CANARY},
        {"LIGHTWEIGHT_QUEUE_REDIS_URL": f"redis://u:{CANARY}@other"},
    ),
    ({"REDIS_URL": f"redis://u:{CANARY}@h"}, {"LIGHTWEIGHT_QUEUE_REDIS_HOST": "other"}),
]


def resolved(values: dict[str, object], environ: dict[str, str]) -> Resolution:
    settings = SimpleNamespace(**{f"LIGHTWEIGHT_QUEUE_{n}": v for n, v in values.items()})
    return resolve(settings, environ=environ)


@pytest.mark.parametrize(("values", "environ"), WAYS)
def test_a_secret_is_never_said(values: dict[str, object], environ: dict[str, str]) -> None:
    resolution = resolved(values, environ)
    said = [
        *(f"{f.message} {f.help} {f.source}" for f in resolution.findings),
        *map(str, show(resolution)),
        *(str(explain(resolution, name)) for name in resolution.values),
        json.dumps(settings_json(resolution)),
        repr(resolution.settings),
        str(resolution.settings),
    ]
    assert not [text for text in said if CANARY in text]
    assert any(MASK in text for text in said)


def test_the_value_itself_arrives() -> None:
    settings = resolved({"REDIS_PASSWORD": CANARY}, {}).settings
    assert settings is not None
    assert settings.redis_password is not None
    assert settings.redis_password.get_secret_value() == CANARY
    again = pickle.loads(pickle.dumps(settings))
    assert again.redis_password.get_secret_value() == CANARY


def test_no_secret_is_not_masked() -> None:
    assert display("REDIS_PASSWORD", None) == "null"
    assert json_value("REDIS_URL", None) is None


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://h:6379/0", "redis://h:6379/0"),
        ("redis://user:pw@h:6379/0", f"redis://{MASK}@h:6379/0"),
        ("redis://h/0?ssl=1", f"redis://h/0?{MASK}"),
        ("unix://u:p@/run/x.sock", f"unix://{MASK}@/run/x.sock"),
        ("redis://u:p/w@h", MASK),
        ("redis://[::1", MASK),
        ("pw", MASK),
    ],
)
def test_what_is_shown_of_a_url(url: str, shown: str) -> None:
    assert masked_url(url) == shown


def test_an_error_of_an_override_file_does_not_show_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.toml").write_text(f'redis_password = "{CANARY}" x\n')
    Path("y.py").write_text(f"LIGHTWEIGHT_QUEUE_REDIS_PASSWORD = '{CANARY}' x\n")
    Path("z.json").write_text(f'{{"redis_password": "{CANARY}" x}}\n')
    resolution = resolve(SimpleNamespace(), override_files=["x.toml", "y.py", "z.json"], environ={})
    assert [f.id for f in resolution.findings] == ["dlq.E004"] * 3
    assert CANARY not in str(resolution.findings)


def test_the_debug_log_of_pydantic_settings_has_no_secret(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PYDANTIC_SETTINGS_DEBUG", "1")
    caplog.set_level("DEBUG", "pydantic_settings")
    for values, environ in WAYS:
        if all(isinstance(value, str) for value in values.values()):
            resolved(values, environ)
    assert CANARY not in caplog.text
