"""Tasks that are run within the test's own process."""

from __future__ import annotations

import asyncio
import sys

from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from dlq import task
from dlq.execution.find_task import find_task

QUEUE = "samples"
committed: list[str] = []


@task(queue=QUEUE)
def double(number: int) -> int:
    return 2 * number


@task(queue=QUEUE)
async def double_later(number: int) -> int:
    await asyncio.sleep(0)
    return 2 * number


@task(queue=QUEUE)
def fail(text: str) -> None:
    raise ValueError(text)


class Unshowable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


@task(queue=QUEUE)
def fail_unshowably() -> None:
    raise Unshowable


@task(queue=QUEUE)
def leave() -> None:
    sys.exit(3)


@task(queue=QUEUE)
def interrupt() -> None:
    raise KeyboardInterrupt


class StopEverything(BaseException):
    pass


@task(queue=QUEUE)
def stop_everything() -> None:
    raise StopEverything


@task(queue=QUEUE)
def meets_unknown_task() -> None:
    find_task("nowhere.at.all")


def plain() -> None:
    """Not a task."""


def _add(model: str) -> None:
    ContentType.objects.create(app_label="tests", model=model)


@task(queue=QUEUE, atomic=True)
def add(model: str) -> None:
    _add(model)


@task(queue=QUEUE, atomic=True)
def add_and_fail(model: str) -> None:
    _add(model)
    raise ValueError("rolled back")


@task(queue=QUEUE, atomic=False)
def add_and_fail_unprotected(model: str) -> None:
    _add(model)
    raise ValueError("not rolled back")


@task(queue=QUEUE, atomic=True)
def add_in_blocks(kept: str, dropped: str) -> None:
    """The first use of the connection is a block within the job's."""
    with transaction.atomic():
        _add(kept)
    try:
        with transaction.atomic():
            _add(dropped)
            raise LookupError
    except LookupError:
        pass


@task(queue=QUEUE, atomic=True)
def tell_on_commit(text: str, model: str = "", fails: bool = False) -> None:
    """Registered before the connection is opened, if it ever is."""
    transaction.on_commit(lambda: committed.append(text))
    if model:
        _add(model)
    if fails:
        raise ValueError(text)


@task(queue=QUEUE, atomic=True)
def set_rollback(model: str) -> None:
    _add(model)
    transaction.set_rollback(True)


@task(queue=QUEUE, atomic=True)
def is_in_a_transaction() -> bool:
    return bool(transaction.get_connection().in_atomic_block)


@task(queue=QUEUE, atomic=True)
def durable_block() -> None:
    with transaction.atomic(durable=True):
        """Must be refused: the job's own block is around it."""


@task(queue=QUEUE, atomic=True)
async def add_later(model: str) -> None:
    await ContentType.objects.acreate(app_label="tests", model=model)
    raise ValueError("rolled back")
