"""How a long operation of a backend tells how far it is."""

from __future__ import annotations

from dlq.backends.base import NULL_PROGRESS_LOGGER, ProgressLogger

__all__ = ("NULL_PROGRESS_LOGGER", "ProgressLogger")
