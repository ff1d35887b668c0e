"""How long the overview page and `dlq status` take on a large server, and how many commands they
send: `python -m tests.benchmarks.pages`. Needs about 300 MB and a minute.

Prints JSON. The page's time is that of the view and its template in this process, without the
network; the command's is beyond `django.setup()` of the same project, the best of some rounds.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.kit.valkey import Server

QUEUES = 1000
WAITING = 1_000_000
FAILED = 10_000
ROUNDS = 7

JOB = b'{"path": "tests.project.orders.tasks.confirm", "args": [1], "kwargs": {}, "timeout": null, '
JOB += b'"sigkill_on_stop": false, "created_time": "2026-01-31 08:00:00.250000"}'
SETTINGS = "tests.project.settings"
ROOT = Path(__file__).parents[2]


def names() -> list[str]:
    return [f"queue-{number}" for number in range(QUEUES)]


def environment(port: int) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": SETTINGS,
        "LIGHTWEIGHT_QUEUE_BACKEND": "dlq.backends.reliable_redis.ReliableRedisBackend",
        "LIGHTWEIGHT_QUEUE_REDIS_PORT": str(port),
        "LIGHTWEIGHT_QUEUE_WORKERS": ",".join(f"{name}=1" for name in names()),
    }


def fill(server: Server) -> None:
    """Store the jobs; the same bytes for all."""
    with server.client() as client:
        for name in names():
            pipe = client.pipeline(transaction=False)
            pipe.lpush(f"django_lightweight_queue:{name}", *[JOB] * (WAITING // QUEUES))
            fields: dict[Any, Any] = {"raw": JOB, "reason": "ValueError: no", "kind": "raised"}
            for _ in range(FAILED // QUEUES):
                pipe.xadd(f"dlq:failed:{name}", fields)
            pipe.execute()


def page() -> Callable[[], int]:
    """Return a call of the overview page, as a superuser sees it; it returns the page's size."""
    import django

    django.setup()
    from django.contrib import admin
    from django.contrib.auth.models import User
    from django.test import RequestFactory

    from dlq.web.gate import answer
    from dlq.web.routes import ROUTES

    [route] = [route for route in ROUTES if route.name == "overview"]
    visitor = User(username="admin", is_staff=True, is_superuser=True)

    def call() -> int:
        request: Any = RequestFactory().get("/")
        request.user = visitor
        response: Any = answer(request, route=route, site=admin.site)
        size = len(response.render().content)
        assert response.status_code == 200
        return size

    return call


def milliseconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return round((time.perf_counter() - began) * 1000, 1)


def command(*words: str) -> None:
    done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode in {0, 1}, done.stderr.decode()


def main() -> None:
    server = Server().start()
    try:
        os.environ.update(environment(server.port))
        fill(server)
        call = page()
        first = milliseconds(call)
        with server.client() as client:
            before = client.info("commandstats")
            size = call()
            after = client.info("commandstats")
        sent = {
            name.removeprefix("cmdstat_"): after[name]["calls"]
            - before.get(name, {"calls": 0})["calls"]
            for name in after
        }
        pages = [milliseconds(call) for _ in range(ROUNDS)]
        start = "import django; django.setup()"
        status = [milliseconds(lambda: command("-m", "dlq", "status")) for _ in range(ROUNDS)]
        bare = [milliseconds(lambda: command("-c", start)) for _ in range(ROUNDS)]
        found = {
            "queues": QUEUES,
            "waiting": WAITING,
            "failed": FAILED,
            "overview_first_ms": first,
            "overview_ms": {"median": statistics.median(pages), "all": pages},
            "overview_bytes": size,
            "overview_commands": {name: count for name, count in sent.items() if count},
            "status_beyond_django_ms": round(min(status) - min(bare), 1),
            "status_ms": status,
            "django_ms": bare,
        }
        print(json.dumps(found, indent=2))
    finally:
        server.kill()


if __name__ == "__main__":
    main()
