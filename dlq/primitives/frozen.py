"""Containers that cannot be changed, and copies of a user's values that share nothing with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class FrozenDict(Mapping[K, V]):
    """A dict without the methods that change it. Unlike a MappingProxyType it can be pickled, which
    is how settings reach the workers of PRELOAD = False, and hides no dict that others may hold."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[K, V] | None = None) -> None:
        self._items: dict[K, V] = dict(items or {})

    def __getitem__(self, key: K) -> V:
        return self._items[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return repr(self._items)


def copied(value: Any) -> Any:
    """The same value with containers of its own: what the user's code does to its dicts and lists
    later changes nothing here."""
    if isinstance(value, Mapping):
        return {copied(key): copied(item) for key, item in value.items()}
    if isinstance(value, list):
        return [copied(item) for item in value]
    if type(value) is tuple:
        return tuple(copied(item) for item in value)
    if isinstance(value, set | frozenset):
        return frozenset(value)
    return value
