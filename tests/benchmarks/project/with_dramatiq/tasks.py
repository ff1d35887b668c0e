from __future__ import annotations

import dramatiq

from tests.benchmarks.project import jobs

TASKS = {
    "nothing": dramatiq.actor(jobs.nothing),
    "mark": dramatiq.actor(jobs.mark),
    "started": dramatiq.actor(jobs.started),
}


def put(name: str, *args: float) -> None:
    TASKS[name].send(*args)
