"""How long a large pool takes to plan, beside an import that every project pays anyway.

Run in dlq's environment as a process of its own, so that the import is a first one. Prints seconds.
"""

from __future__ import annotations

import json
import time

_began = time.perf_counter()
import django  # noqa: E402, F401  (the import is what is timed)

IMPORT_DJANGO = time.perf_counter() - _began

from dlq.planning.split import Pool, QueuePlan, split  # noqa: E402  (after the timed import)
from dlq.types import QueueName  # noqa: E402  (after the timed import)

MACHINES = 500
QUEUES = 50
WORKERS = 5_000


def plan(workers: int, machines: int) -> float:
    queues = [
        QueuePlan(QueueName(f"queue{number:03d}"), workers // QUEUES, "backend", None, "setting")
        for number in range(QUEUES)
    ]
    began = time.perf_counter()
    found = split(queues, Pool(machine=None, of=machines), key_prefix="")
    seconds = time.perf_counter() - began
    assert len(found.workers) == workers
    return seconds


if __name__ == "__main__":
    plan(WORKERS, MACHINES)
    print(
        json.dumps(
            {
                "import django": IMPORT_DJANGO,
                "planner": plan(WORKERS, MACHINES),
                "planner x10": plan(10 * WORKERS, MACHINES),
            }
        )
    )
