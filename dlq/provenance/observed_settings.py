"""Where settings are written that come from Python: Django's, and those of override files."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Mapping
from functools import cached_property
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from dlq.primitives.display_path import display_path
from dlq.provenance.setting_location import SettingLocation
from dlq.types import Source

if TYPE_CHECKING:
    from dlq.provenance.lookup import Lookup
    from dlq.provenance.recorder import Recorder

T = TypeVar("T")

DJANGO = Source("django")

_known: dict[str, Recorder | Mapping[str, SettingLocation] | None] = {}
"""By settings module: what dlq has recorded when it imported it, or what a child process says; None
where that could not be observed."""


def observe_settings(module: str, action: Callable[[], T], names: Collection[str]) -> T:
    """Import Django's settings by `action`, and remember which statements write them. `names` are
    those of dlq's settings."""
    from dlq.provenance.observer import observe

    result, recorder = observe(action, names)
    _known.clear()
    _known[module] = recorder
    return result


class DjangoSettingLocations:
    """The locations of Django's settings, by name. Values that were not taken from the settings
    module (override_settings, settings.configure) have no file."""

    def __init__(self, settings: Any) -> None:
        self._settings = settings

    def __call__(self, name: str) -> SettingLocation:
        module = sys.modules.get(module_of(self._settings))
        if module is None or not self._is_from(module, name):
            return SettingLocation(DJANGO)
        known, found = self._record, None
        if isinstance(known, Mapping):
            found = known.get(name)
        elif known is not None:
            found = known.in_module(vars(module), name, getattr(module, name))
            found = found or _in_class(known, module, name)
        path = getattr(module, "__file__", None)
        file = display_path(path) if isinstance(path, str) and path.endswith(".py") else None
        return found or SettingLocation(DJANGO._replace(file=file))

    @cached_property
    def _record(self) -> Lookup | Mapping[str, SettingLocation] | None:
        """Seldom needed: a start with nothing to report about settings doesn't look for them."""
        from dlq.provenance.lookup import Lookup
        from dlq.provenance.reimport import reimported_locations

        module = module_of(self._settings)
        if module not in _known:
            _known[module] = reimported_locations(module)
        known = _known[module]
        return known if known is None or isinstance(known, Mapping) else Lookup(known, DJANGO)

    def _is_from(self, module: object, name: str) -> bool:
        """Whether the very object of the module is in force."""
        *overrides, _ = _holders(self._settings)
        if any(name in vars(holder) for holder in overrides):
            return False
        missing = object()
        value = getattr(module, name, missing)
        return value is not missing and value is getattr(self._settings, name, None)


def _in_class(lookup: Lookup, module: ModuleType, name: str) -> SettingLocation | None:
    """Return where the class has the setting that django-configurations takes it from, or another
    one that gives it out by the module's __getattr__."""
    chosen = getattr(module, os.environ.get("DJANGO_CONFIGURATION", ""), None)
    if isinstance(chosen, type):
        return lookup.in_class(chosen, name)
    is_its_own = name in vars(module)
    return None if is_its_own else lookup.in_some_class(name, getattr(module, name))


def module_of(settings: Any) -> str:
    """The name of the settings module, also while override_settings hides it; or ''."""
    module = getattr(_holders(settings)[-1], "SETTINGS_MODULE", None)
    return module if isinstance(module, str) else ""


def _holders(settings: Any) -> list[Any]:
    """Return what is behind Django's settings object: one holder for each override_settings, the
    innermost first, and at last what the settings module gave."""
    holders = [getattr(settings, "_wrapped", settings)]
    while hasattr(holders[-1], "default_settings"):
        holders.append(holders[-1].default_settings)
    return holders


class FileLocations:
    """The locations of names in a Python override file, whose `code` is executed by `execute`.
    `source` and `text` are the file as it is shown, and what was compiled; `assigned` are the names
    that it assigns itself, and doesn't import."""

    def __init__(
        self,
        code: CodeType,
        execute: Callable[[], ModuleType],
        names: Collection[str],
        source: Source,
        text: str,
    ) -> None:
        from dlq.provenance.observer import observe
        from dlq.provenance.recorder import Recorder
        from dlq.provenance.stores import find_stores

        earlier = next((each for each in _known.values() if isinstance(each, Recorder)), None)
        self.module, self._recorder = observe(execute, names, code.co_filename, earlier)
        self._source, self._texts = source, {code.co_filename: text}
        stores = find_stores(code, vars(self.module).keys() & set(names))
        self.assigned = stores.assigned if stores is not None else set[str]()

    def __call__(self, name: str) -> SettingLocation:
        variables = vars(self.module)
        found = self._lookup and self._lookup.in_module(variables, name, variables[name])
        return found or SettingLocation(self._source)

    @cached_property
    def _lookup(self) -> Lookup | None:
        from dlq.provenance.lookup import Lookup

        known = self._recorder
        return None if known is None else Lookup(known, self._source, self._texts)
