"""What statements may have written, and which of them wrote the value that is there.

Pure. An answer is certain, or it is none: a statement is named only if no other can have written
the value. That it reads the same is not enough where another one, of an unknown value, may have run
later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from dlq.types import Source


class _Sign:
    """Stands where a value would."""


UNKNOWN = _Sign()
"""It is computed."""

GONE = _Sign()
"""The key was removed."""

ANY = _Sign()
"""Any key, nobody knows which."""


class Entry(NamedTuple):
    """A key may have been given this value here."""

    key: object
    certain: bool
    value: object
    source: Source | None = None
    at_key: Source | None = None


class Written(NamedTuple):
    """The name may have been given this value here. `entries` are those of a dict, with all that
    changed them later; they are None for what is no dict, or one that nobody can follow. `elements`
    are those of a list that is written out and not changed later."""

    certain: bool
    value: object
    source: Source | None
    entries: tuple[Entry, ...] | None = None
    elements: tuple[Source, ...] = ()
    at_name: Source | None = None

    def changed(self, entries: Iterable[Entry]) -> Written:
        if self.entries is None:
            return self._replace(value=UNKNOWN, elements=())
        added = (*self.entries, *entries)
        return self._replace(entries=added, value=replayed(added))


T = TypeVar("T", Written, Entry)


def decide(history: Sequence[T], value: object, rumoured: bool) -> T | None:
    """The one that wrote `value`, or None where several may have."""
    possible: list[T] = []
    for each in reversed(history):
        possible.append(each)
        if each.certain:
            break
    if len(possible) == 1 and possible[0].value is UNKNOWN:
        return None if rumoured else possible[0]
    if any(each.value is UNKNOWN for each in possible):
        return None
    equal = [each for each in possible if same(each.value, value)]
    return equal[0] if len(equal) == 1 else None


def same(one: object, other: object) -> bool:
    """Equal, and of the same types all the way down: True is not 1. A copy of a set is frozen."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, set | frozenset) and isinstance(other, set | frozenset):
        return one == other
    if type(one) is not type(other):
        return False
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def replayed(entries: Iterable[Entry]) -> object:
    """The dict that these writes make, or UNKNOWN."""
    table: dict[object, object] = {}
    for entry in entries:
        if entry.key is ANY or not entry.certain or entry.value is UNKNOWN:
            return UNKNOWN
        if entry.value is GONE:
            table.pop(entry.key, None)
        else:
            table[entry.key] = entry.value
    return table
