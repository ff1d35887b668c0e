"""What a setting must be, in words, and what to write instead: derived from the JSON Schema of the
settings, so that the words cannot differ from what is checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic_core import PydanticCustomError

from dlq.config.json_schema import schema
from dlq.config.settings import SECRETS, Settings, default
from dlq.config.sources.text_values import kind_of, read_text
from dlq.config.validation.constraints import CLASS_PATH
from dlq.types import Source

_NOTHING = object()


class Notation(NamedTuple):
    """How values are written in one kind of source: what a person would type there."""

    true: str = "True"
    false: str = "False"
    none: str = "None"
    table: str = "dict"

    def literal(self, value: Any) -> str:
        value = dict(value) if isinstance(value, Mapping) else value
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


class Expectation(NamedTuple):
    """What a setting must be, or an item of its dict or list, in the notation of its source."""

    settings_class: type[Settings]
    name: str
    notation: Notation
    is_item: bool

    def words(self) -> str:
        """What the value should have been, to go on after "SETTING is VALUE: "."""
        content = schema(self.settings_class)["properties"][self.name.lower()]
        if self.is_item:
            content = content.get("additionalProperties") or content.get("items") or {}
        return f"must be {self._shape(content)}"

    def remedy(self, value: object) -> str | None:
        """Something to type, as it is written where the value was set."""
        if self.name in SECRETS:
            return None
        if value is None and not self.is_item:
            return f"remove it to have the default, {self._default()}"
        meant = self._meant(value)
        if meant is not _NOTHING:
            return f"use {self.notation.literal(meant)}"
        if isinstance(value, str) and self._kind in {"whole", "number", "flag"}:
            return f"the default is {self._default()}"
        return None

    def _default(self) -> str:
        return self.notation.literal(default(self.name, self.settings_class))

    def _shape(self, content: Mapping[str, Any]) -> str:
        if "enum" in content:
            return " or ".join(self.notation.literal(option) for option in content["enum"])
        options = content.get("anyOf", [content])
        shapes = [self._simple(option) for option in options if option["type"] != "null"]
        if len(shapes) < len(options):
            shapes.append(self.notation.none)
        return ", or ".join(shapes)

    def _simple(self, content: Mapping[str, Any]) -> str:
        kind = content["type"]
        if kind == "boolean":
            return f"{self.notation.true} or {self.notation.false}"
        if kind in {"integer", "number"}:
            noun = "a whole number" if kind == "integer" else "a number of seconds"
            return noun + _range(content)
        if kind == "array":
            return f"a list of {content['items'].get('description', 'values')}"
        if kind == "object":
            values = content["additionalProperties"].get("description", "values")
            return f"a {self.notation.table} of queue names and {values}"
        if content.get("pattern") == CLASS_PATH:
            return "a dotted path, as in 'package.module.Class'"
        return "text that is not empty" if content.get("minLength") else "text"

    @property
    def _kind(self) -> str:
        return kind_of(self.settings_class.model_fields[self.name.lower()])

    def _meant(self, value: object) -> object:
        """The value that was probably meant, or _NOTHING."""
        kind = self._kind
        if kind == "table" and isinstance(value, list | tuple) and self.name == "WORKERS":
            names = [item for item in value if isinstance(item, str)]
            return dict.fromkeys(names, 1) if names else _NOTHING
        if kind == "list" and isinstance(value, str) and not self.is_item:
            return [value]
        if kind in {"whole", "number"} and isinstance(value, bool):
            return int(value)
        if kind == "whole" and isinstance(value, float) and value.is_integer():
            return int(value)
        if kind == "text" and isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if kind == "flag" and isinstance(value, str):
            try:
                return read_text(self.settings_class.model_fields[self.name.lower()], value)
            except PydanticCustomError:
                return _NOTHING
        return _NOTHING


def _range(content: Mapping[str, Any]) -> str:
    low, high = content.get("minimum"), content.get("maximum")
    above = content.get("exclusiveMinimum")
    if above is not None:
        return f" above {above:g}" if high is None else f" above {above:g}, up to {high}"
    if low is None:
        return "" if high is None else f" up to {high}"
    return f" of {low:g} or more" if high is None else f" from {low} to {high}"
