from __future__ import annotations

from tests.benchmarks.project import jobs
from tests.benchmarks.project.with_celery.app import app

TASKS = {
    "nothing": app.task(jobs.nothing),
    "mark": app.task(jobs.mark),
    "started": app.task(jobs.started),
}


def put(name: str, *args: float) -> None:
    TASKS[name].delay(*args)
