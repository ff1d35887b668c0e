"""Metrics for Prometheus: how long jobs take, per queue, and where to scrape that.

The names, the ports and the form of `/worker_config` are those of django-lightweight-queue 4.11,
with one difference: its summary counted the time that a worker waited for a job, too. Imported only
where ENABLE_PROMETHEUS is set; needs prometheus-client.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET, AF_INET6
from typing import Any, TypeAlias

from dlq.planning.split import PlannedWorker
from dlq.primitives.text import printable
from dlq.types import Logger, QueueName

CONFIG_PATH = "/worker_config"

REQUEST_LIMIT = 10.0
"""Seconds that a client may take to send its request."""


Observer: TypeAlias = Callable[[str, float, bool], None]
"""Called with the task, the duration in seconds and whether it ended well, of each job."""


def observer(queue: QueueName) -> Observer:
    """Return what a worker calls after each job: it counts the job, and measures its duration."""
    from prometheus_client import Counter, Histogram, Summary

    summary: Any = _made(Summary, "item_processed_seconds", "Item processing time", ["queue"])
    observe = summary.labels(queue).observe
    jobs: Any = _made(Counter, "dlq_jobs_total", "Jobs that ended.", ["queue", "task", "outcome"])
    seconds: Any = _made(Histogram, "dlq_job_seconds", "Duration of jobs.", ["queue", "task"])

    def observe_job(task: str, duration: float, succeeded: bool) -> None:
        observe(duration)
        task = printable(task)  # a path may be anything: whoever writes to the server chooses it
        jobs.labels(queue, task, "done" if succeeded else "failed").inc()
        seconds.labels(queue, task).observe(duration)

    return observe_job


def _made(kind: Callable[..., object], name: str, help: str, labels: list[str]) -> object:
    """Make a metric, or return the one of that name: a process has one worker and makes it once; a
    process that hosts several (tests) shares it."""
    from prometheus_client import REGISTRY

    return REGISTRY._names_to_collectors.get(name) or kind(name, help, labels)


def serve_worker(port: int, address: str, logger: Logger) -> None:
    """Serve this process's metrics, the users' own included, from a thread. A port that cannot be
    had is logged: jobs are worth more than their figures."""
    from prometheus_client import start_http_server

    try:
        start_http_server(port, address)
    except OSError as error:
        _log_no_port(port, address, error, logger)


def worker_config(workers: Sequence[PlannedWorker], host: str, start_port: int) -> bytes:
    """What `/worker_config` answers: targets for Prometheus's HTTP service discovery."""
    content = [
        {
            "targets": [f"{host}:{start_port + worker.position}"],
            "labels": {
                "django_lightweight_queue_worker_queue": worker.queue,
                "django_lightweight_queue_worker_num": str(worker.number),
            },
        }
        for worker in workers
    ]
    return json.dumps(content, sort_keys=True, indent=4).encode()


def serve_config(port: int, address: str, config: bytes, logger: Logger) -> int:
    """Answer on the start port, for as long as this process lives: `/worker_config`, and the
    metrics of this process elsewhere."""
    from prometheus_client.exposition import MetricsHandler

    class Handler(MetricsHandler):
        timeout = REQUEST_LIMIT

        def do_GET(self) -> None:
            if self.path.partition("?")[0] != CONFIG_PATH:
                super().do_GET()
                return
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(config)))
            self.end_headers()
            self.wfile.write(config)

    try:
        with _server(address, port, Handler) as server:
            server.serve_forever()
    except OSError as error:
        _log_no_port(port, address, error, logger)
        return 1
    return 0


def _server(address: str, port: int, handler: type[BaseHTTPRequestHandler]) -> ThreadingHTTPServer:
    """Return a server that answers each client in a thread of its own: an idle one delays
    no other, and is hung up on after REQUEST_LIMIT."""

    class Server(ThreadingHTTPServer):
        address_family = AF_INET6 if ":" in address else AF_INET
        daemon_threads = True

    return Server((address, port), handler)


def _log_no_port(port: int, address: str, error: OSError, logger: Logger) -> None:
    logger.error(
        "cannot serve metrics on %s port %d: %s (errno %s)",
        address,
        port,
        error.strerror,
        error.errno,
        extra={"action": "metrics_port_unavailable", "port": port},
    )
