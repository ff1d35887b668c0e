"""Where Django's settings are written."""

from __future__ import annotations

import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dlq.provenance.setting_location import SettingLocation
from dlq.types import Source

if TYPE_CHECKING:
    from dlq.provenance.provenance import Provenance

DJANGO = Source("django")


class DjangoPlaces:
    """Of Django's settings. Values that were not taken from the settings module (override_settings,
    settings.configure) have no file."""

    def __init__(self, settings: Any) -> None:
        self._settings = settings

    def __call__(self, name: str, value: object) -> SettingLocation:
        """`name` as it is written."""
        module = module_of(self._settings)
        if not module or not self._is_from(module, name):
            return SettingLocation(DJANGO)
        return self._provenance.in_module(module, name, value)

    @cached_property
    def _provenance(self) -> Provenance:
        """Seldom asked for: a start with nothing to say about settings doesn't look for them."""
        from dlq.provenance.provenance import Provenance

        return Provenance(DJANGO)

    def _is_from(self, module: str, name: str) -> bool:
        """Whether the very object of the module is in force."""
        *overrides, _ = _holders(self._settings)
        if any(name in vars(holder) for holder in overrides):
            return False
        missing = object()
        value = getattr(sys.modules.get(module), name, missing)
        return value is not missing and value is getattr(self._settings, name, None)


def module_of(settings: Any) -> str:
    """The name of the settings module, also while override_settings hides it; or ''."""
    module = getattr(_holders(settings)[-1], "SETTINGS_MODULE", None)
    return module if isinstance(module, str) else ""


def _holders(settings: Any) -> list[Any]:
    """What stands behind Django's settings object: one holder for each override_settings, the
    innermost first, and at last what the settings module gave."""
    holders = [getattr(settings, "_wrapped", settings)]
    while hasattr(holders[-1], "default_settings"):
        holders.append(holders[-1].default_settings)
    return holders
