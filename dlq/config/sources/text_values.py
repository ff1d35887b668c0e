"""What kind of value a setting takes, told from its type, and how text is read as one.

The environment has nothing but text; and where somebody wrote '3' for 3 in Python, reading the text
tells what was meant.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from types import NoneType
from typing import Literal, TypeAlias, get_args, get_origin

from dlq.config.settings import Settings

Kind: TypeAlias = Literal["text", "whole", "number", "switch", "list", "table"]

SWITCH = {
    "true": True, "yes": True, "on": True, "1": True,
    "false": False, "no": False, "off": False, "0": False,
}  # fmt: skip


class Unreadable(ValueError):
    """The text is no value of this kind; the message goes on after the name of the setting."""

    def __init__(self, message: str, help: str | None = None) -> None:
        super().__init__(message)
        self.help = help


def kind_of(name: str) -> Kind:
    """Of a setting, by its name in upper case."""
    annotation = Settings.__annotations__[name.lower()]
    options = [option for option in get_args(annotation) if option is not NoneType]
    origin: object = get_origin(annotation)
    if origin is Mapping:
        return "table"
    if origin is tuple:
        return "list"
    simple = options[0] if NoneType in get_args(annotation) else annotation
    kinds: dict[object, Kind] = {bool: "switch", int: "whole", float: "number"}
    return kinds.get(simple, "text")


def is_optional(name: str) -> bool:
    return NoneType in get_args(Settings.__annotations__[name.lower()])


def read_text(name: str, text: str) -> object:
    """The value that `text` stands for, by the kind of the setting. Raises Unreadable."""
    kind = kind_of(name)
    if is_optional(name) and text.strip().lower() in _none_words(kind):
        return None
    if kind == "text":
        return text
    if kind == "switch":
        return _switch(text)
    if kind == "whole":
        return _whole(text)
    if kind == "number":
        return _number(text)
    return _list(text) if kind == "list" else _table(name, text)


def _none_words(kind: Kind) -> tuple[str, ...]:
    """An empty variable is how compose files and unit files say that there is no such thing. 'none'
    may be a password."""
    return ("",) if kind == "text" else ("", "none", "null")


def _switch(text: str) -> bool:
    value = SWITCH.get(text.strip().lower())
    if value is None:
        raise Unreadable("must be true or false (1, 0, yes, no, on and off are fine)")
    return value


def _whole(text: str) -> int:
    stripped = text.strip()
    digits = stripped.removeprefix("-").removeprefix("+")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 18:
        raise Unreadable("must be a whole number")
    return int(stripped)


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or "_" in text:
        raise Unreadable("must be a number")
    return int(value) if value.is_integer() else value


def _list(text: str) -> list[object]:
    if text.lstrip().startswith(("[", '"', "{")):
        value = _json(text)
        if not isinstance(value, list):
            raise Unreadable("must be a list", 'as in a.b.C,d.e.F or ["a.b.C", "d.e.F"]')
        return value
    return [part.strip() for part in text.split(",") if part.strip()]


def _table(name: str, text: str) -> dict[str, object]:
    numbers = name == "WORKERS"
    example = "emails=3,images=2" if numbers else "emails=package.module.Class"
    if text.lstrip().startswith(("{", "[", '"')):
        value = _json(text)
        if not isinstance(value, dict):
            raise Unreadable("must be a JSON object, or pairs", f"as in {example}")
        return value
    table: dict[str, object] = {}
    for part in text.split(","):
        if not part.strip():
            continue
        key, equals, item = (piece.strip() for piece in part.partition("="))
        if not equals or not key:
            raise Unreadable(
                f"{part.strip()!r} is no pair of a queue and its value", f"as in {example}"
            )
        if key in table:
            raise Unreadable(f"names queue {key!r} twice")
        table[key] = _whole_or_text(item) if numbers else item
    return table


def _whole_or_text(text: str) -> object:
    """What is no number is left for the validation, which names the queue."""
    try:
        return _whole(text)
    except Unreadable:
        return text


def _json(text: str) -> object:
    try:
        return json.loads(text, object_pairs_hook=without_doubles)
    except json.JSONDecodeError as error:
        raise Unreadable(f"JSON error at character {error.pos + 1}: {error.msg}") from None
    except RecursionError:
        raise Unreadable("is nested too deep") from None
    except Unreadable:
        raise
    except ValueError as error:  # a number of more digits than Python reads
        raise Unreadable(str(error)) from None


def without_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """For json.loads, which takes the last of two equal keys. Raises Unreadable."""
    table = dict(pairs)
    if len(table) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise Unreadable(f"names {key!r} twice")
            seen.add(key)
    return table
