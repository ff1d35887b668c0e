"""Where a setting of a Python module is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any

from dlq.config.merge import Place
from dlq.types import Source


def django_place(settings: Any, name: str, value: object) -> Place:
    """Of a name of Django's settings."""
    return Place(Source("django"))


def file_place(source: Source, text: str, module: ModuleType, name: str, value: object) -> Place:
    return Place(source)


def own_names(text: str, names: Iterable[str]) -> list[str]:
    return list(names)


def document_places(
    source: Source, text: str, content: Mapping[str, object]
) -> Callable[[str], Place]:
    return lambda key: Place(source)
