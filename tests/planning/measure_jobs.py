"""Measure `dlq check --jobs` with many waiting jobs.

    python -m tests.planning.measure_jobs 1000000

prints one JSON line: seconds (also of the processor), the largest memory of the command, and server
commands over 10 ms.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, cast

from dlq.job import encode, new_job
from tests.cli.conftest import Project
from tests.kit.valkey import Server
from tests.kit.warm import Warm

PAGE = 5000


def measure(jobs: int) -> dict[str, Any]:
    server = Server(**{"slowlog-log-slower-than": "10000", "slowlog-max-len": "1000"}).start()
    try:
        client = server.client()
        with tempfile.TemporaryDirectory() as directory:
            project = Project(Path(directory), Warm())
            project.use(server)
            for start in range(0, jobs, PAGE):
                raws = [
                    encode(new_job("orders.tasks.confirm", (number,), {}, None, False))
                    for number in range(start, min(jobs, start + PAGE))
                ]
                client.lpush("django_lightweight_queue:emails", *raws)
            client.execute_command("SLOWLOG", "RESET")  # type: ignore[no-untyped-call]
            began = time.monotonic()
            done = subprocess.run(
                [sys.executable, "-m", "dlq", "check", "--jobs", "--format", "json"],
                cwd=directory,
                env=project.env(),
                capture_output=True,
                text=True,
                check=True,
            )
            seconds = time.monotonic() - began
            # The server is a child, too, but has not been waited for yet.
            usage = resource.getrusage(resource.RUSAGE_CHILDREN)
            slow = cast("list[Any]", client.execute_command("SLOWLOG", "GET", 1000))  # type: ignore[no-untyped-call]
    finally:
        server.stop()
        server.remove()
    return {
        "jobs": json.loads(done.stdout)["checked"]["waiting"],
        "seconds": round(seconds, 1),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 1),
        "memory_mib": usage.ru_maxrss // 1024,
        "slow_commands": [str(entry) for entry in slow][:5],
    }


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)))
