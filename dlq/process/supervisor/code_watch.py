"""Changes of the project's code, for `dlq run --reload`: the files that were loaded are looked at
once a second. What follows a change is what follows HUP."""

from __future__ import annotations

import os
import sys
import sysconfig
import time
from collections.abc import Iterable

LOOK_EVERY = 1.0
"""Seconds."""

STOP_TIMEOUT = 5.0
"""Seconds that jobs may run on when the code has changed, at most."""

Stamps = dict[str, tuple[int, int] | None]
"""When each file was changed, and its size; None where it is not there."""


class CodeWatch:
    """The files of the project's modules that are loaded now, and `files` beside them."""

    def __init__(self, files: Iterable[str] = ()) -> None:
        self._files = sorted({*_loaded_files(), *files})
        self._stamps = self._look()
        self._looked = time.monotonic()
        self._is_changing = False

    def has_changed(self) -> bool:
        """Whether files have changed and then stayed the same for a look: an editor or a checkout
        writes many. Said once for each change."""
        now = time.monotonic()
        if now - self._looked < LOOK_EVERY:
            return False
        self._looked = now
        stamps = self._look()
        if stamps != self._stamps:
            self._stamps, self._is_changing = stamps, True
            return False
        was_changing, self._is_changing = self._is_changing, False
        return was_changing

    def _look(self) -> Stamps:
        return {file: _stamp(file) for file in self._files}


def _stamp(file: str) -> tuple[int, int] | None:
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _loaded_files() -> set[str]:
    """The source files of modules that are neither Python's nor installed. Also where a cron.py may
    appear: in the folder of each app."""
    installed = {
        os.path.realpath(path)
        for name, path in sysconfig.get_paths().items()
        if name in {"stdlib", "platstdlib", "purelib", "platlib"}
    }
    found = set()
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if not isinstance(file, str) or not file.endswith(".py"):
            continue
        real = os.path.realpath(file)
        if not any(real.startswith(f"{path}{os.sep}") for path in installed):
            found.add(file)
            if os.path.basename(file) in {"apps.py", "models.py", "tasks.py", "__init__.py"}:
                folder = os.path.dirname(file)
                found |= {os.path.join(folder, name) for name in ("cron.py", "tasks.py")}
    return found
