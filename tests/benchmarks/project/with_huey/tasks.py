from __future__ import annotations

from huey.contrib.djhuey import task

from tests.benchmarks.project import jobs

TASKS = {
    "nothing": task()(jobs.nothing),
    "mark": task()(jobs.mark),
    "started": task()(jobs.started),
}


def put(name: str, *args: float) -> None:
    TASKS[name](*args)
