from __future__ import annotations

from collections.abc import Callable

from django_lightweight_queue import task
from tests.benchmarks.project import jobs


@task()
def nothing() -> None:
    jobs.nothing()


@task()
def mark() -> None:
    jobs.mark()


@task()
def started(sent: float) -> None:
    jobs.started(sent)


TASKS: dict[str, Callable[..., object]] = {"nothing": nothing, "mark": mark, "started": started}


def put(name: str, *args: float) -> None:
    TASKS[name](*args)


def put_many(count: int) -> None:
    with nothing.bulk_enqueue() as enqueue:
        for _ in range(count):
            enqueue()
