"""Where the settings of a Python override file are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dlq.provenance.django_places import DJANGO
from dlq.provenance.provenance import Provenance
from dlq.provenance.python_source import Bound, PythonText
from dlq.provenance.setting_location import SettingLocation
from dlq.types import Source


class FilePlaces:
    """Of a Python override file that was run."""

    def __init__(self, source: Source, text: str, namespace: Mapping[str, object]) -> None:
        self._text = text
        self._namespace = namespace
        self._provenance = Provenance(source)

    def __call__(self, name: str, value: object) -> SettingLocation:
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
