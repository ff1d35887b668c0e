"""Paths of files as people would type them."""

from __future__ import annotations

import os
from pathlib import Path


def display_path(path: str | Path) -> str:
    """The path relative to the working directory where the file lies below that, else as it is."""
    try:
        return str(Path(path).relative_to(os.getcwd()))
    except (ValueError, OSError):  # elsewhere, or the working directory is gone
        return str(path)
