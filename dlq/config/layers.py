"""Every setting by name, over the sources that were read: in force, hidden, and where written.

Which source wins is decided by `Settings.read`, by asking the sources; here it is looked up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dlq.config.resolution import Hidden, ResolvedValue, ValueProvenance
from dlq.config.settings import Settings, default, setting_names
from dlq.config.sources.settings_source import URL_PARTS, SettingsSource
from dlq.config.sources.text_values import DEFAULT as STANDS_FOR_DEFAULT
from dlq.primitives.frozen import copied
from dlq.provenance.setting_location import SettingLocation
from dlq.types import DEFAULT


class Layers(Mapping[str, ResolvedValue]):
    """Every setting by its name in upper case. `sources` come the highest first, and were read."""

    def __init__(self, settings_class: type[Settings], sources: Sequence[SettingsSource]) -> None:
        self.settings_class = settings_class
        self.sources = tuple(sources)
        self._resolved: dict[str, ResolvedValue] = {}

    def owner(self, name: str) -> SettingsSource | None:
        """Return the source whose value is in force; None for a setting that has its default."""
        return next((source for source in self.sources if name in source.in_force), None)

    def replaced_url(self) -> tuple[SettingsSource, str, SettingsSource] | None:
        """Return the source that replaces a REDIS_URL by one of its parts, the part, and the source
        whose URL that is."""
        if self.owner("REDIS_URL") is not None:
            return None
        hidden = next((s for s in self.sources if s.values.get("REDIS_URL") is not None), None)
        if hidden is None:
            return None
        return next(
            (source, part, hidden)
            for source in self.sources
            for part in URL_PARTS
            if source.values.get(part) is not None
        )

    def values_in_force(self) -> dict[str, object]:
        """Return what is written in the sources that own a setting, without what is unreadable."""
        return {
            name: source.values[name]
            for source in self.sources
            for name in source.in_force
            if name not in source.unreadable
        }

    def location_of(self, name: str) -> SettingLocation:
        owner = self.owner(name)
        return SettingLocation(DEFAULT) if owner is None else owner.location_of(name)

    def __getitem__(self, name: str) -> ResolvedValue:
        found = self._resolved.get(name)
        if found is None:
            found = self._resolved[name] = self._resolve(name)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(setting_names(self.settings_class))

    def __len__(self) -> int:
        return len(self.settings_class.model_fields)

    def __reduce__(self) -> tuple[type[dict[str, ResolvedValue]], tuple[object]]:
        """Pickle as a dict: a source's way to look up lines cannot travel."""
        return (dict, (dict(self),))

    def _resolve(self, name: str) -> ResolvedValue:
        if name.lower() not in self.settings_class.model_fields:
            raise KeyError(name)
        setting = [source for source in self.sources if name in source.values]
        replaced = self.replaced_url() if name == "REDIS_URL" else None
        if replaced is not None:
            owner, written_as, _ = replaced
            below, value = setting, None
        elif setting:
            owner, *below = setting
            written_as, value = name, copied(owner.values[name])
        else:
            value = default(name, self.settings_class)
            return ResolvedValue(name, value, "default", lambda: ValueProvenance(DEFAULT))

        def look_up() -> ValueProvenance:
            location = owner.location_of(written_as)
            hidden = (
                Hidden(copied(source.values[name]), source.location_of(name).source)
                for source in below
            )
            return ValueProvenance(location.source, location.items, tuple(hidden), location.history)

        return ResolvedValue(name, self._meaning(name, value), owner.kind, look_up)

    def _meaning(self, name: str, value: object) -> object:
        meant = self.settings_class.meaning(name.lower(), value)
        return default(name, self.settings_class) if meant is STANDS_FOR_DEFAULT else meant
