"""Files without a name, gone with their last user. They need no directory that can be written."""

from __future__ import annotations

import os
import tempfile


def open_memory_file(name: str) -> int:
    """The descriptor of an empty file in memory, or of a temporary one where there is no memfd.
    `name` is for people who look at /proc. Raises OSError."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create(name)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
