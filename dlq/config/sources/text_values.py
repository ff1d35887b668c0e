"""What kind of value a setting takes, derived from its type, and how text is read as one.

Scalars may be text in every source, because `os.environ.get("REDIS_PORT", 6379)` is how Django
settings are written. Lists and tables are text in the environment only, which has nothing else.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from types import NoneType
from typing import Annotated, Any, Final, Literal, TypeAlias, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from dlq.config.validation.constraints import NO_NONE, violates

Kind: TypeAlias = Literal["text", "whole", "number", "flag", "list", "table"]

DEFAULT: Final = object()
"""A value that stands for the setting's default."""

FLAGS = {
    "true": True, "yes": True, "on": True, "1": True,
    "false": False, "no": False, "off": False, "0": False,
}  # fmt: skip

MOST_DIGITS = 18
"""More than any bound has; Python itself reads 4300."""


def kind_of(field: FieldInfo) -> Kind:
    """Return what kind of value a setting takes."""
    simple = _types_of(field)[0]
    origin: object = get_origin(simple)
    if origin is Mapping:
        return "table"
    if origin is tuple:
        return "list"
    kinds: dict[object, Kind] = {bool: "flag", int: "whole", float: "number"}
    return kinds.get(simple, "text")


def is_optional(field: FieldInfo) -> bool:
    """Whether None is a value of its own."""
    return NoneType in get_args(field.annotation)


def is_secret(field: FieldInfo) -> bool:
    return SecretStr in _types_of(field)


def _types_of(field: FieldInfo) -> list[Any]:
    """The types that a value may have, None apart."""
    annotation = field.annotation
    options = get_args(annotation) if is_optional(field) else (annotation,)
    return [
        get_args(option)[0] if get_origin(option) is Annotated else option
        for option in options
        if option is not NoneType
    ]


def meaning(field: FieldInfo, value: object) -> object:
    """Return what `value` stands for in a setting, or `value` itself where that isn't clear.

    Decimal text is a number, 0 and 1 are flags, None is DEFAULT where the type of a scalar has no
    None. Lists, tuples and sets are all lists; a set has no order to keep, so it is sorted.
    """
    kind = kind_of(field)
    if kind == "list":
        sequence = sorted(value, key=str) if isinstance(value, set | frozenset) else value
        return tuple(sequence) if isinstance(sequence, list) else value
    if kind == "table":
        return value
    if value is None:
        return None if is_optional(field) or NO_NONE in field.metadata else DEFAULT
    if kind == "flag":
        return bool(value) if type(value) is int and value in (0, 1) else _flag_of_digit(value)
    if kind in {"whole", "number"} and isinstance(value, str):
        found = whole_number(value) if kind == "whole" else number(value)
        return value if found is None else found
    return value


def _flag_of_digit(value: object) -> object:
    digit = value.strip() if isinstance(value, str) else ""
    return digit == "1" if digit in {"0", "1"} else value


def whole_number(text: str) -> int | None:
    stripped = text.strip()
    digits = stripped[1:] if stripped[:1] in {"-", "+"} else stripped
    is_decimal = digits.isascii() and digits.isdigit() and len(digits) <= MOST_DIGITS
    return int(stripped) if is_decimal else None


def number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    if not math.isfinite(value) or "_" in text:
        return None
    return int(value) if value.is_integer() else value


def read_text(field: FieldInfo, text: str) -> object:
    """Return the value that the text of a variable stands for, by the kind of its setting. Raises
    PydanticCustomError, whose message goes on after the name of the setting."""
    kind = kind_of(field)
    if kind == "text":
        return text
    if is_optional(field) and text.strip().lower() in {"none", "null"}:
        return None
    if kind == "flag":
        return _flag(text)
    if kind in {"whole", "number"}:
        found = whole_number(text) if kind == "whole" else number(text)
        if found is None:
            raise _invalid("must be a number")
        return found
    return _list(text) if kind == "list" else _table(field, text)


def _invalid(message: str, help: str | None = None) -> PydanticCustomError:
    return violates("E006", message, help)


def _flag(text: str) -> bool:
    value = FLAGS.get(text.strip().lower())
    if value is None:
        raise _invalid("must be true or false (1, 0, yes, no, on and off are fine)")
    return value


def _list(text: str) -> list[object]:
    if text.lstrip().startswith(("[", '"', "{")):
        value = _json(text)
        if not isinstance(value, list):
            raise _invalid("must be a list", 'as in a.b.C,d.e.F or ["a.b.C", "d.e.F"]')
        return value
    return [part.strip() for part in text.split(",") if part.strip()]


def _table(field: FieldInfo, text: str) -> dict[str, object]:
    item = get_args(field.annotation)[1]
    numbers = item is int or get_args(item)[:1] == (int,)
    example = "emails=3,images=2" if numbers else "emails=package.module.Class"
    if text.lstrip().startswith(("{", "[", '"')):
        value = _json(text)
        if not isinstance(value, dict):
            raise _invalid("must be a JSON object, or pairs", f"as in {example}")
        return value
    table: dict[str, object] = {}
    for part in text.split(","):
        if not part.strip():
            continue
        key, equals, word = (piece.strip() for piece in part.partition("="))
        if not equals or not key:
            raise _invalid(
                f"{part.strip()!r} is no pair of a queue and its value", f"as in {example}"
            )
        if key in table:
            raise _invalid(f"names queue {key!r} twice")
        found = whole_number(word) if numbers else None
        # What is no number is left for the validation, which names the queue.
        table[key] = word if found is None else found
    return table


def _json(text: str) -> object:
    try:
        return json.loads(text, object_pairs_hook=without_doubles)
    except json.JSONDecodeError as error:
        raise _invalid(f"JSON error at character {error.pos + 1}: {error.msg}") from None
    except RecursionError:
        raise _invalid("is nested too deep") from None
    except PydanticCustomError:
        raise
    except ValueError as error:  # a number of more digits than Python reads
        raise _invalid(str(error)) from None


def without_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Make a table for json.loads, which takes the last of two equal keys. Raises
    PydanticCustomError, a ValueError."""
    table = dict(pairs)
    if len(table) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _invalid(f"names {key!r} twice")
            seen.add(key)
    return table
