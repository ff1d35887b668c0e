"""Tasks of the framework, as a project declares them: with the backport, or with Django 6."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import django

from tests.kit.ledger import record

if TYPE_CHECKING or django.VERSION < (6, 0):
    from django_tasks import TaskContext, task
else:
    from django.tasks import TaskContext, task


@task(queue_name="framework")
def add(a: int, b: int) -> int:
    record("start", a)
    return a + b


@task(queue_name="framework")
async def add_async(a: int, b: int) -> int:
    return a + b


@task(queue_name="framework", backend="forgetful")
def forget(a: int) -> None:
    record("start", a)


@task(queue_name="framework", backend="patient")
def patient(a: int) -> None:
    record("start", a)


@task(queue_name="framework", takes_context=True)
def attempt(context: TaskContext) -> list[Any]:
    return [context.attempt, context.task_result.id]


class OddError(Exception):
    """Its constructor takes what nobody can guess."""

    def __init__(self, first: int, *, second: int) -> None:
        super().__init__(f"{first} and {second}")


@task(queue_name="framework")
def fail() -> None:
    raise OddError(1, second=2)


@task(queue_name="framework-retried", backend="stubborn")
def fail_twice(job: int) -> None:
    record("start", job)
    raise ValueError("no")


@task(queue_name="framework")
def unserializable() -> object:
    return {1, 2}


@task(queue_name="framework")
def slow(job: int, seconds: float) -> str:
    record("start", job)
    time.sleep(seconds)
    record("end", job)
    return "done"


@task(queue_name="framework", backend="careful")
def careful(seconds: float) -> None:
    record("start", seconds)
    time.sleep(seconds)


@task(queue_name="framework", backend="forgetful")
def nothing(a: int) -> None: ...


@task(queue_name="framework")
def nothing_kept(a: int) -> None: ...
