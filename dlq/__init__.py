"""dlq: a lightweight task queue and cron system for Django on Redis or Valkey.

Importing the package costs nothing; the public names are loaded when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlq.decorator import TaskWrapper, contribute_implied_queue_name, task

__version__ = "5.0.0.dev0"

__all__ = ("TaskWrapper", "__version__", "contribute_implied_queue_name", "task")


def __getattr__(name: str) -> object:
    if name in {"TaskWrapper", "contribute_implied_queue_name", "task"}:
        from dlq import decorator

        value: object = getattr(decorator, name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
