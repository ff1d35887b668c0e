"""Precedence: the one place that knows it.

Pure. Sources come in as layers, the lowest first. The highest layer that sets a name owns the whole
value; nothing is ever merged into another layer's dict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from dlq.config.resolution import Hidden, ResolvedValue, ValueProvenance
from dlq.config.settings import DEFAULTS, SETTING_NAMES
from dlq.primitives.frozen import copied
from dlq.provenance.setting_location import SettingLocation
from dlq.types import DEFAULT, Source, SourceKind


class Layer(NamedTuple):
    """What one source of this kind sets, by setting name. `place` is asked only when somebody wants
    to know: looking for a line costs more than reading a value. `unreadable` names the settings
    whose text could not be understood: the layer owns them all the same, so nothing lower shines
    through. `replaces_url` is the part of the server's address that takes REDIS_URL out of force.
    """

    kind: SourceKind
    values: Mapping[str, object]
    place: Callable[[str], SettingLocation]
    unreadable: frozenset[str] = frozenset()
    replaces_url: str | None = None


URL_PARTS = ("REDIS_HOST", "REDIS_PORT", "REDIS_PASSWORD", "REDIS_DATABASE")
"""What REDIS_URL says in one piece."""


def merge(layers: Sequence[Layer]) -> Merged:
    """The one truth about precedence. REDIS_URL and its parts are two spellings of one thing, so a
    part in a higher layer takes the URL of a lower one out of force."""
    merged: list[Layer] = []
    for layer in layers:
        has_url = any(below.values.get("REDIS_URL") is not None for below in merged)
        parts = [part for part in URL_PARTS if layer.values.get(part) is not None]
        if has_url and parts and "REDIS_URL" not in layer.values:
            layer = _without_url(layer, parts[0])
        merged.append(layer)
    return Merged(merged)


def _without_url(layer: Layer, part: str) -> Layer:
    def place(name: str) -> SettingLocation:
        return layer.place(part if name == "REDIS_URL" else name)

    values = {**layer.values, "REDIS_URL": None}
    return layer._replace(values=values, place=place, replaces_url=part)


class Merged(Mapping[str, ResolvedValue]):
    """Every setting by name, with its provenance, which is looked up when first asked for."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self._layers = tuple(layers)
        self._resolved: dict[str, ResolvedValue] = {}

    def owner(self, name: str) -> Layer | None:
        """None for a setting that only has its default."""
        return next((layer for layer in reversed(self._layers) if name in layer.values), None)

    def raw(self) -> dict[str, object]:
        """The values in force of those that some layer sets, without asking for their places."""
        values: dict[str, object] = {}
        for layer in self._layers:
            values.update(layer.values)
        return values

    def place(self, name: str) -> SettingLocation:
        owner = self.owner(name)
        return SettingLocation(DEFAULT) if owner is None else owner.place(name)

    def source_of(self, name: str) -> Source:
        return self.place(name).source

    def __getitem__(self, name: str) -> ResolvedValue:
        found = self._resolved.get(name)
        if found is None:
            found = self._resolved[name] = self._resolve(name)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(SETTING_NAMES)

    def __len__(self) -> int:
        return len(SETTING_NAMES)

    def __reduce__(self) -> tuple[type[dict[str, ResolvedValue]], tuple[object]]:
        """Pickled as a dict: a layer's way to look up places cannot travel."""
        return (dict, (dict(self),))

    def _resolve(self, name: str) -> ResolvedValue:
        if name not in SETTING_NAMES:
            raise KeyError(name)
        setting = [layer for layer in reversed(self._layers) if name in layer.values]
        if not setting:
            return ResolvedValue(name, default(name), "default", lambda: ValueProvenance(DEFAULT))
        owner, *below = setting

        def look_up() -> ValueProvenance:
            place = owner.place(name)
            hidden = (Hidden(copied(each.values[name]), each.place(name).source) for each in below)
            return ValueProvenance(place.source, place.items, tuple(hidden))

        return ResolvedValue(name, copied(owner.values[name]), owner.kind, look_up)


def default(name: str) -> object:
    return getattr(DEFAULTS, name.lower())
