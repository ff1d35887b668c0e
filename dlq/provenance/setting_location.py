"""Where the parts of one setting are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from dlq.primitives.frozen import FrozenDict
from dlq.types import Source


class SettingLocation(NamedTuple):
    """Where a setting's value is written, and its name; where the values of its dict are, and their
    keys; where the elements of its list are, by index ('0'). All as far as that is known.
    `history`: every statement that gave it a value or changed its items, the first first."""

    source: Source
    items: Mapping[str, Source] = FrozenDict()
    keys: Mapping[str, Source] = FrozenDict()
    at_name: Source | None = None
    history: tuple[Source, ...] = ()

    @property
    def of_name(self) -> Source:
        return self.at_name or self.source

    def item(self, key: str, *, of_key: bool = False) -> Source:
        """Return where the value under a key is written, or the key; the file alone where that is
        not known: the line of the whole setting would be wrong."""
        found = self.keys if of_key else self.items
        return found.get(key, self.source.without_line)
