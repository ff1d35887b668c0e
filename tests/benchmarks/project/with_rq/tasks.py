from __future__ import annotations

import django_rq
from rq import Queue

from tests.benchmarks.project import jobs

TASKS = {"nothing": jobs.nothing, "mark": jobs.mark, "started": jobs.started}
BATCH = 1000

queue = django_rq.get_queue("default")


def put(name: str, *args: float) -> None:
    queue.enqueue(TASKS[name], *args)


def put_many(count: int) -> None:
    for begin in range(0, count, BATCH):
        batch = min(BATCH, count - begin)
        queue.enqueue_many([Queue.prepare_data(jobs.nothing) for _ in range(batch)])
