"""How a value is written where it was set: what a person would type there."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from dlq.types import Source


class Notation(NamedTuple):
    """The words of one kind of source, for what a setting must be."""

    true: str = "True"
    false: str = "False"
    none: str = "None"
    table: str = "dict"

    def literal(self, value: Any) -> str:
        if self is PYTHON:
            return repr(value)
        if self is TEXT:
            return _as_text(value)
        if self is TOML and isinstance(value, dict):
            pairs = (f"{json.dumps(key)} = {json.dumps(item)}" for key, item in value.items())
            return f"{{ {', '.join(pairs)} }}"
        return json.dumps(value)


PYTHON = Notation()
JSON = Notation("true", "false", "null", "JSON object")
TOML = Notation("true", "false", "none", "table")
TEXT = Notation("true", "false", "none", "list of pairs")


def notation_of(source: Source) -> Notation:
    if source.kind == "environment":
        return TEXT
    if source.file is not None and source.file.lower().endswith(".toml"):
        return TOML
    if source.file is not None and source.file.lower().endswith(".json"):
        return JSON
    return PYTHON


def _as_text(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "none"}[value]
    if isinstance(value, dict):
        return ",".join(f"{key}={item}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return str(value)
