"""The scripts: each .lua file is one, is known by name, compiles, and declares its keys."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest

from dlq.backends.redis_storage.lua import scripts
from tests.kit.valkey import Server

DIRECTORY = Path(str(files("dlq.backends.redis_storage.lua")))
SCRIPTS = {each.name: each for each in vars(scripts).values() if isinstance(each, scripts.Script)}
WITH_UNDECLARED_KEYS = {"fleet/lengths"}


def test_each_file_is_a_script_or_shared() -> None:
    names = {str(path.relative_to(DIRECTORY).with_suffix("")) for path in DIRECTORY.rglob("*.lua")}
    shared = {name for name in names if name.startswith("shared/")}
    assert names - shared == set(SCRIPTS)
    included = {
        f"shared/{name}"
        for script in SCRIPTS
        for line in re.findall(
            r"^--@include (.+)$", (DIRECTORY / f"{script}.lua").read_text(), re.MULTILINE
        )
        for name in line.split()
    }
    assert included == shared


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_compiles_and_says_what_it_is(name: str, server: Server) -> None:
    text = SCRIPTS[name].text
    assert text.startswith("#!lua"), "its flags are declared"
    assert "--@include" not in text
    assert "-- KEYS" in text or " KEYS: " in text or "KEYS as for" in text
    with server.client() as client:
        assert client.script_load(text) == SCRIPTS[name].sha


@pytest.mark.parametrize("name", sorted(SCRIPTS.keys() - WITH_UNDECLARED_KEYS))
def test_a_script_makes_no_key(name: str) -> None:
    """Each is declared, or a cluster would not know where it runs."""
    # A subcommand, as in XINFO STREAM, stands before the key.
    calls = re.findall(r"redis\.p?call\('\w+', (?:'[A-Z]+', )?([^,)]+)", SCRIPTS[name].text)
    made = [key for key in calls if not re.fullmatch(r"KEYS\[[^]]+\]|[a-z]+", key.strip())]
    assert made == []
