"""The queues and tasks that the project's code declares, as it declares them.

The one piece of state that a module of dlq may keep: it only grows, while the users' modules are
imported. Importing this module must cost a web process nothing.
"""

from __future__ import annotations

from typing import NamedTuple

from dlq.types import QueueName, Source


class Declaration(NamedTuple):
    """`task` is the dotted path, or None where only a queue was named
    (`contribute_implied_queue_name`). `retries` is how often its jobs are run again after they have
    raised."""

    queue: QueueName
    source: Source
    task: str | None = None
    retries: int = 0


_declared: dict[Declaration, None] = {}


def declare(queue: QueueName, source: Source, task: str | None = None, retries: int = 0) -> None:
    """Note that a task, or code on behalf of one, implies `queue`."""
    _declared[Declaration(queue, source, task, retries)] = None


def declarations() -> tuple[Declaration, ...]:
    """All declarations so far, in their order."""
    return tuple(_declared)
