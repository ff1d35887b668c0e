"""`dlq kill emails/2`: end a running job as a failed one, on whichever machine it runs.

The request waits on the server for the runner's next heartbeat, which is within two seconds; its
heartbeat process ends the run and no other. No job pays for it, and no command is added.
"""

from __future__ import annotations

from dlq import runtime
from dlq.backends.base import BackendWithRunners
from dlq.backends.state import KillRequest
from dlq.errors import UsageError
from dlq.operations.monitoring.rates import RunningOn
from dlq.primitives.text import listed, printable
from dlq.types import QueueName

LISTED = 5
"""Workers with a job that a refusal names."""


def find_running(worker: str) -> RunningOn:
    """Return the job that a worker runs. Raises UsageError where it runs none, or where two do."""
    backend = _backend(worker)
    jobs = [RunningOn(seen.runner, job) for seen in backend.runners() for job in seen.running]
    found = [each for each in jobs if each.job.worker == worker]
    if len(found) == 1:
        return found[0]
    if found:
        hosts = listed(sorted(printable(each.runner.host) for each in found))
        raise UsageError(f"{worker} runs a job on {hosts}: stop one of these runners first")
    busy = [printable(each.job.worker) for each in jobs[:LISTED]]
    others = f"; these do: {', '.join(busy)}" if busy else ""
    raise UsageError(f"worker {printable(worker)!r} runs no job{others} (dlq status shows all)")


def request_kill(found: RunningOn) -> None:
    """Ask the runner to end the job. Raises BackendUnavailable."""
    runner, job = found
    _backend(job.worker).request_kill(runner, KillRequest(job.worker, job.pid, job.since))


def _backend(worker: str) -> BackendWithRunners:
    queue, _, number = worker.rpartition("/")
    if not queue or not number.isdigit():
        raise UsageError(f"{printable(worker)!r} is no worker: write QUEUE/NUMBER, as in emails/2")
    backend = runtime.current().backend(QueueName(queue))
    if not isinstance(backend, BackendWithRunners):
        raise UsageError(f"the backend of queue {queue!r} does not know what its workers run")
    return backend
