"""Import an object by its dotted path, as in `package.module.Class`."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def import_path(path: str) -> Any:
    """The object at a dotted path. Raises ImportError, AttributeError, and ValueError for a path
    that is none."""
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)


def is_import_path(text: str) -> bool:
    """Say whether the text could be the dotted path of an object in a module."""
    return "." in text and all(part.isidentifier() for part in text.split("."))
