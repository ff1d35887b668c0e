"""Where the settings of each source are written."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any

from dlq.config.merge import Place
from dlq.config.provenance import Provenance
from dlq.config.python_source import Bound, PythonText
from dlq.types import Source

DJANGO = Source("django")


class DjangoPlaces:
    """Of Django's settings. Values that were not taken from the settings module (override_settings,
    settings.configure) have no file."""

    def __init__(self, settings: Any) -> None:
        self._settings = settings
        self._provenance = Provenance(DJANGO)

    def __call__(self, name: str, value: object) -> Place:
        """`name` as it is written."""
        module = module_of(self._settings)
        if not module or not self._is_from(module, name):
            return Place(DJANGO)
        return self._provenance.in_module(module, name, value)

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


class FilePlaces:
    """Of a Python override file that was run."""

    def __init__(self, source: Source, text: str, namespace: Mapping[str, object]) -> None:
        self._text = text
        self._namespace = namespace
        self._provenance = Provenance(source)

    def __call__(self, name: str, value: object) -> Place:
        """`name` as it is written."""
        return self._provenance.in_text(self._text, self._namespace, name, value)

    def written_here(self, names: Iterable[str]) -> list[str]:
        """Those that the file itself assigns, and doesn't just import."""
        text = PythonText(DJANGO, self._text)
        return [
            name
            for name in names
            if any(isinstance(e, Bound) and e.node for e in text.events(name))
        ]
