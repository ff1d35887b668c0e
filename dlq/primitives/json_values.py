"""Values as JSON carries them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def json_compatible(value: object, convert: Callable[[Any], Any] = lambda item: item) -> Any:
    """The value with dicts and lists for its containers. `convert` is called with what is in them,
    keys excepted, which become text."""
    if isinstance(value, Mapping):
        return {str(key): json_compatible(item, convert) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [json_compatible(item, convert) for item in value]
    return convert(value)
