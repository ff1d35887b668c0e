"""What the users' code declares, as the planner wants it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from dlq.config.resolution import Resolution
from dlq.jobs.declarations import Declaration
from dlq.jobs.queue_names import check_queue_name
from dlq.planning.split import DEFAULT_QUEUE, QueuePlan
from dlq.types import QueueName, Source

OUR_PACKAGE = Path(__file__).resolve().parent.parent
OUR_TASK = Source("task", name="dlq")
"""Implies `default`, where the task that runs cron commands lives."""


def implied_by_tasks(declarations: Iterable[Declaration]) -> dict[QueueName, Source]:
    """The queues that tasks name, and the source of the first that does, with the task's name.
    `default` is always among them."""
    found: dict[QueueName, Source] = {}
    for declaration in declarations:
        if not is_ours(declaration) and check_queue_name(declaration.queue) is None:
            source = found.setdefault(declaration.queue, declaration.source)
            # A task is declared when its decorator is called, and again with its name.
            if declaration.task is not None and source == declaration.source:
                name = f"task {declaration.task.rpartition('.')[2]}"
                found[declaration.queue] = source._replace(name=name)
    found.setdefault(DEFAULT_QUEUE, OUR_TASK)
    return found


def implied_text(source: Source) -> str:
    """`implied by task confirm, orders/tasks.py:4`, from a source of `implied_by_tasks`."""
    if source.file is None:
        return "implied by dlq's own cron task"
    return f"implied by {source.name}, {source.label}"


def is_ours(declaration: Declaration) -> bool:
    """Whether dlq itself declared it, so that a user cannot look it up in the project."""
    file = declaration.source.file
    if file is None:
        return False
    path = Path(file).resolve()
    return OUR_PACKAGE in path.parents and OUR_PACKAGE / "demo" not in path.parents


def is_overridden(resolution: Resolution) -> bool:
    """Whether WORKERS is the whole truth: it comes from an override file or the environment."""
    return resolution.values["WORKERS"].kind in {"file", "environment"}


def source_of(queue: QueuePlan, resolution: Resolution) -> Source:
    """The source location of the number of workers of a queue."""
    return queue.source or resolution.source_of("WORKERS", queue.name)
