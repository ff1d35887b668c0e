"""What a setting must be, in words, and what to write instead: told from the model's own schema, so
that the words cannot drift away from what is checked."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from dlq.config.json_schema import schema
from dlq.config.layers import default
from dlq.config.settings import SECRETS
from dlq.config.sources.text_values import Unreadable, kind_of, read_text
from dlq.config.validation.constraints import DOTTED_PATH
from dlq.config.validation.notation import Notation


@cache
def _properties() -> Mapping[str, Any]:
    """Made once: it is a constant that costs some milliseconds, and only mistakes need it."""
    properties: Mapping[str, Any] = schema()["properties"]
    return properties


def expected(name: str, value: object, notation: Notation, *, inner: bool) -> str:
    """What `value` should have been, to go on after "SETTING is VALUE: "."""
    if name == "WORKERS" and inner and isinstance(value, int) and not isinstance(value, bool):
        if value < 0:
            return "a queue cannot have fewer than 0 workers"
        return "a queue cannot have more than 1024 workers"
    content = _properties()[name.lower()]
    if inner:
        content = content.get("additionalProperties") or content.get("items") or {}
    return f"must be {_shape(name, content, notation)}"


def _shape(name: str, content: Mapping[str, Any], notation: Notation) -> str:
    if "enum" in content:
        return " or ".join(notation.literal(option) for option in content["enum"])
    options = content.get("anyOf", [content])
    shapes = [_simple(name, option, notation) for option in options if option["type"] != "null"]
    if len(shapes) < len(options):
        shapes.append(notation.none)
    return ", or ".join(shapes)


def _simple(name: str, content: Mapping[str, Any], notation: Notation) -> str:
    kind = content["type"]
    if kind == "boolean":
        return f"{notation.true} or {notation.false}"
    if kind in {"integer", "number"}:
        noun = "a whole number" if kind == "integer" else "a number of seconds"
        return noun + _range(content)
    if kind == "array":
        return f"a list of {_plural(name)}"
    if kind == "object":
        values = "numbers of workers" if name == "WORKERS" else "dotted paths"
        return f"a {notation.table} of queue names and {values}"
    if content.get("pattern") == DOTTED_PATH:
        return "a dotted path, as in 'package.module.Class'"
    return "text that is not empty" if content.get("minLength") else "text"


def _range(content: Mapping[str, Any]) -> str:
    low, high, above = (
        content.get("minimum"),
        content.get("maximum"),
        content.get("exclusiveMinimum"),
    )
    if low is not None and high is not None:
        return f" from {low} to {high}"
    if above is not None:
        return f" above {above:g}"
    return "" if low is None else f" of {low:g} or more"


def _plural(name: str) -> str:
    plurals = {
        "MIDDLEWARE": "dotted paths",
        "IGNORE_APPS": "apps",
        "TASK_MODULES": "modules",
        "CRON_COMMANDS": "commands",
    }
    return plurals[name]


def remedy(name: str, value: object, notation: Notation, *, inner: bool) -> str | None:
    """Something to type, as it is written where the value was set."""
    if name in SECRETS:
        return None
    if name == "WORKERS" and inner:
        return _count_remedy(value, notation)
    if value is None and not inner:
        return f"remove it to have the default, {notation.literal(default(name))}"
    meant = _meant(name, value, inner)
    if meant is not _NOTHING:
        return f"use {notation.literal(meant)}"
    if isinstance(value, str) and kind_of(name) in {"whole", "number", "switch"}:
        return f"the default is {notation.literal(default(name))}"
    return None


_NOTHING = object()


def _meant(name: str, value: object, inner: bool) -> object:
    """The value that was probably meant, or _NOTHING."""
    kind = kind_of(name)
    if kind == "table" and isinstance(value, list | tuple) and name == "WORKERS":
        names = [item for item in value if isinstance(item, str)]
        return dict.fromkeys(names, 1) if names else _NOTHING
    if kind == "list" and isinstance(value, str) and not inner:
        return [value]
    if kind in {"whole", "number"} and isinstance(value, bool):
        return int(value)
    if kind == "whole" and isinstance(value, float) and value.is_integer():
        return int(value)
    if kind == "text" and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and kind in {"whole", "number", "switch"}:
        try:
            return read_text(name, value)
        except Unreadable:
            return _NOTHING
    return _NOTHING


def _count_remedy(value: object, notation: Notation) -> str:
    if isinstance(value, bool) or (isinstance(value, float) and value.is_integer()):
        return f"use {int(value)}"
    if isinstance(value, int):
        if value < 0:
            return "use 0 to stop running this queue, or remove the entry"
        return "use 1024 or fewer"
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < 6:
        return f"use {int(value)}"
    if value is None:
        return "remove the entry, or use 0 to stop running this queue"
    return f"use a number, as in {notation.literal(1)}"
