"""Where the parts of one setting are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from dlq.primitives.frozen import FrozenDict
from dlq.types import Source


class SettingLocation(NamedTuple):
    """Where a setting's value is written, and its name; where the values of its dict are, and their
    keys; where the elements of its list are, by index ('0'). All as far as that is known."""

    source: Source
    items: Mapping[str, Source] = FrozenDict()
    keys: Mapping[str, Source] = FrozenDict()
    at_name: Source | None = None

    @property
    def of_name(self) -> Source:
        return self.at_name or self.source
