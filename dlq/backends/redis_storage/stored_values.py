"""Values that were read from a server, checked before they are used.

Other programs can write to the server, too. Invariant: every number that comes from there and
reaches arithmetic, the server or a system call has a checked type and range, and so has every
number of seconds that is sent to it.
"""

from __future__ import annotations

import json
import math
from types import NoneType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

MOST = 2**53
"""The largest number: both as a whole number and as a float it is exact."""

MOST_SECONDS = 100 * 365 * 24 * 3600.0
"""The longest time that a server is asked to keep or delay anything."""

T = TypeVar("T")


def parse_json(text: bytes | str) -> Any:
    """Return the content of JSON text; None for text that is not JSON (or says null)."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def read_record(kind: type[T], content: object) -> T | None:
    """Return a named tuple from the content of its JSON object. None where a field is missing, or
    not of its type, or a number out of range; what has a default may be missing."""
    if not isinstance(content, dict):
        return None
    named_tuple: Any = kind
    fields, defaults = named_tuple._fields, named_tuple._field_defaults
    values = {name: content[name] if name in content else defaults.get(name) for name in fields}
    for name, hint in get_type_hints(kind).items():
        if get_origin(hint) is tuple and isinstance(values[name], list):
            values[name] = tuple(values[name])
        if not _fits(values[name], hint):
            return None
    return kind(**values)


def whole_number(text: bytes | None, default: int = 0) -> int:
    """Return a stored count; `default` for what is not one."""
    if text is None or not text.isdigit() or len(text) > len(str(MOST)):
        return default
    return min(int(text), MOST)


def finite_number(text: bytes | None) -> float | None:
    """Return a stored number of seconds; None for what is not one."""
    try:
        number = float(text or b"")
    except ValueError:
        return None
    return number if abs(number) <= MOST else None


def milliseconds(seconds: float, least: int = 1) -> int:
    """Return a time for the server: at least `least`, and no longer than MOST_SECONDS."""
    if math.isnan(seconds):
        return least
    return max(least, int(max(0.0, min(seconds, MOST_SECONDS)) * 1000))


def _fits(value: object, hint: Any) -> bool:
    types = get_args(hint)
    if get_origin(hint) is tuple:
        # Of any length, as `tuple[int, ...]`: JSON has it as a list.
        return isinstance(value, tuple) and all(_fits(item, types[0]) for item in value)
    if types:
        return any(_fits(value, each) for each in types)
    if hint is int:
        return type(value) is int and 0 <= value <= MOST
    if hint is float:
        return type(value) in (int, float) and abs(value) <= MOST  # type: ignore[arg-type]  # a number
    if hint is str:
        return isinstance(value, str) and _is_unicode(value)
    return type(value) is (NoneType if hint is None else hint)


def _is_unicode(text: str) -> bool:
    """Tell whether text can be sent to the server again: JSON can carry half of a surrogate pair,
    which UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
