"""What the supervisor says: lines for the people at its terminal, records for the log.

Some facts are both, and where the project's logging writes to the console they would stand there
twice. Then the record wins, since the project has chosen its form; where nothing listens to the
logger but Python's last resort, the line does.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator

from dlq.types import Logger


class Reporter:
    """`announce` prints a line for people. Records carry `action`, a word for machines."""

    def __init__(self, announce: Callable[[str], None], logger: Logger) -> None:
        self.announce = announce
        self._logger = logger

    def log(self, level: str, message: str, action: str) -> None:
        getattr(self._logger, level)("%s", message, extra={"action": action})

    def tell(self, level: str, name: str, text: str, action: str) -> None:
        """Of the child `name`, to both."""
        if not is_shown(self._logger, level):
            self.announce(f"{name} | {text}")
        if not is_unheard(self._logger):
            self.log(level, f"{name} {text}", action)


def is_unheard(logger: Logger) -> bool:
    """Whether nobody has set up logging, for what comes from here at least."""
    return isinstance(logger, logging.Logger) and not logger.hasHandlers()


def is_shown(logger: Logger, level: str) -> bool:
    """Whether a record of this level is written to this process's own output. Of a logger that is
    not Python's, nobody knows."""
    if not isinstance(logger, logging.Logger):
        return False
    number = logging.getLevelNamesMapping()[level.upper()]
    return logger.isEnabledFor(number) and any(
        handler.level <= number and _writes_here(handler) for handler in _handlers(logger)
    )


def _handlers(logger: logging.Logger) -> Iterator[logging.Handler]:
    at: logging.Logger | None = logger
    while at is not None:
        yield from at.handlers
        at = at.parent if at.propagate else None


def _writes_here(handler: logging.Handler) -> bool:
    """The standard handler has a stream, and rich's a console with a file."""
    stream = getattr(handler, "stream", None) or getattr(
        getattr(handler, "console", None), "file", None
    )
    return stream is not None and stream in (
        *(sys.stdout, sys.stderr),
        *(sys.__stdout__, sys.__stderr__),
    )
