"""The live objects that user code asks for: those of the runtime in force."""

from __future__ import annotations

from typing import Any

from dlq import runtime
from dlq.backends.base import BaseBackend
from dlq.decorator import contribute_implied_queue_name
from dlq.primitives.import_path import import_path as get_path
from dlq.types import Logger, QueueName

__all__ = (
    "contribute_implied_queue_name",
    "get_backend",
    "get_logger",
    "get_middleware",
    "get_path",
)


def get_backend(queue: QueueName) -> BaseBackend:
    """The backend that holds the jobs of `queue`."""
    return runtime.current().backend(queue)


def get_logger(name: str) -> Logger:
    """A logger from LOGGER_FACTORY."""
    return runtime.current().logger(name)


def get_middleware() -> list[Any]:
    return list(runtime.current().middleware())
