"""The file whose time shows a monitor that a queue's jobs get done (--touchfile)."""

from __future__ import annotations

import os
import time

from dlq.types import Logger

WARN_EVERY = 60.0
"""Seconds. A full disk must not fill the log too."""


class TouchFile:
    def __init__(self, path: str, logger: Logger) -> None:
        self._path = path
        self._logger = logger
        self._warned = -WARN_EVERY

    def touch(self) -> None:
        """Set its time to now. Never raises: the job that has just ended is done either way."""
        try:
            try:
                os.utime(self._path)
            except FileNotFoundError:
                os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666))
        except OSError as error:
            now = time.monotonic()
            if now - self._warned >= WARN_EVERY:
                self._warned = now
                self._logger.warning(
                    "cannot touch %s: %s (errno %s)",
                    self._path,
                    error.strerror,
                    error.errno,
                    extra={"action": "touch_failed"},
                )
