"""What a setting must be, in words, and what to write instead: told from the model's own schema, so
that the words cannot drift away from what is checked."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from dlq.config.kinds import Unreadable, kind_of, read_text
from dlq.config.merge import default
from dlq.config.model import SECRETS
from dlq.config.schema import schema
from dlq.config.values import DOTTED_PATH


@cache
def _properties() -> Mapping[str, Any]:
    """Made once: it is a constant that costs some milliseconds, and only mistakes need it."""
    properties: Mapping[str, Any] = schema()["properties"]
    return properties


def expected(name: str, value: object, *, inner: bool, key: bool) -> str:
    """What `value` should have been, to go on after "SETTING is VALUE: "."""
    if key:
        return f"queue names are text, not {type(value).__name__}"
    if name == "WORKERS" and inner and isinstance(value, int) and not isinstance(value, bool):
        if value < 0:
            return "a queue cannot have fewer than 0 workers"
        return "a queue cannot have more than 1024 workers"
    content = _properties()[name.lower()]
    if inner:
        content = content.get("additionalProperties") or content.get("items") or {}
    return f"must be {_shape(name, content, inner)}"


def _shape(name: str, content: Mapping[str, Any], inner: bool) -> str:
    if "enum" in content:
        return " or ".join(repr(option) for option in content["enum"])
    options = content.get("anyOf", [content])
    shapes = [_simple(name, option, inner) for option in options]
    return " or ".join(shapes)


def _simple(name: str, content: Mapping[str, Any], inner: bool) -> str:
    kind = content.get("type")
    if kind == "null":
        return "None"
    if kind == "boolean":
        return "True or False"
    if kind in {"integer", "number"}:
        noun = "a whole number" if kind == "integer" else "a number of seconds"
        return noun + _range(content)
    if kind == "array":
        return f"a list of {_plural(name)}"
    if kind == "object":
        values = "numbers of workers" if name == "WORKERS" else "dotted paths"
        return f"a dict of queue names and {values}"
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


def remedy(name: str, value: object, inner: bool, key: bool) -> str | None:
    """Something to type."""
    if key:
        return f"use {str(value)!r}"
    if name in SECRETS:
        return None
    if name == "WORKERS" and inner:
        return _count_remedy(value)
    kind = kind_of(name)
    if value is None and not inner:
        return f"remove it to have the default, {default(name)!r}"
    if kind == "table" and isinstance(value, list | tuple) and name == "WORKERS":
        names = [item for item in value if isinstance(item, str)]
        return f"use {dict.fromkeys(names, 1)!r}" if names else None
    if kind == "list" and isinstance(value, str) and not inner:
        return f"use {[value]!r}"
    if kind in {"whole", "number"} and isinstance(value, bool):
        return f"use {int(value)}"
    if kind == "whole" and isinstance(value, float) and value.is_integer():
        return f"use {int(value)}"
    if kind == "text" and isinstance(value, int) and not isinstance(value, bool):
        return f"use {str(value)!r}"
    if isinstance(value, str) and kind in {"whole", "number", "switch"}:
        return _meant(name, value)
    return None


def _count_remedy(value: object) -> str:
    if isinstance(value, bool):
        return f"use {int(value)}"
    if isinstance(value, int):
        if value < 0:
            return "use 0 to stop running this queue, or remove the entry"
        return "use 1024 or fewer"
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < 6:
        return f"use {int(value)}"
    if isinstance(value, float) and value.is_integer():
        return f"use {int(value)}"
    if value is None:
        return "remove the entry, or use 0 to stop running this queue"
    return "use a number, as in 1"


def _meant(name: str, text: str) -> str | None:
    try:
        return f"use {read_text(name, text)!r}"
    except Unreadable:
        return f"the default is {default(name)!r}"
