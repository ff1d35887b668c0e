"""What every source of settings has in common: its values, and where each is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

from dlq.config.settings import SECRETS, Settings, setting_names
from dlq.config.sources.text_values import DEFAULT
from dlq.diagnostics.finding import Finding
from dlq.provenance.setting_location import SettingLocation
from dlq.types import SourceKind

URL_PARTS: Final = ("REDIS_HOST", "REDIS_PORT", "REDIS_PASSWORD", "REDIS_DATABASE")
"""What REDIS_URL says in one piece."""


class SettingsSource(PydanticBaseSettingsSource):
    """One source of settings. Names are in upper case and have no prefix.

    `values` is what it sets, as it is written there. `unreadable` names those whose text cannot be
    understood: the source sets them all the same, so no lower source counts. `findings` is what is
    wrong with the source itself. `in_force` names the settings that no higher source sets, once
    `Settings.read` has asked.
    """

    kind: ClassVar[SourceKind]

    def __init__(self, settings_class: type[Settings]) -> None:
        super().__init__(settings_class)
        self.names = setting_names(settings_class)
        self.values: dict[str, object] = {}
        self.unreadable: set[str] = set()
        self.findings: Sequence[Finding] = []
        self.in_force: frozenset[str] = frozenset()

    def location_of(self, name: str) -> SettingLocation:
        """Return where a value of this source is written: looking for a line costs more than
        reading a value, so it is done when somebody wants to know."""
        raise NotImplementedError

    def __call__(self) -> dict[str, Any]:
        """Return what no higher source sets: each value is replaced as a whole, and nothing is
        merged into the dict of another source."""
        higher = self.current_state
        values = {
            name.lower(): DEFAULT if name in self.unreadable else _hidden(name, value)
            for name, value in self.values.items()
            if name.lower() not in higher and not self._is_replaced(name, higher)
        }
        self.in_force = frozenset(name.upper() for name in values)
        return values

    def _is_replaced(self, name: str, higher: Mapping[str, object]) -> bool:
        """REDIS_URL and its parts are two spellings of one thing, so a part in a higher source
        takes the URL of a lower one out of force."""
        if name != "REDIS_URL" or self.values[name] is None:
            return False
        return any(higher.get(part.lower()) is not None for part in URL_PARTS)

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Asked by the sources of pydantic-settings alone; `__call__` has all values at once."""
        raise NotImplementedError


def _hidden(name: str, value: object) -> object:
    """Keep a secret out of what pydantic-settings logs when PYDANTIC_SETTINGS_DEBUG is set."""
    return SecretStr(value) if name in SECRETS and isinstance(value, str) else value
