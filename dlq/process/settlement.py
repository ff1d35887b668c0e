"""What becomes of the job that a process had in hand when it was killed."""

from __future__ import annotations

from dlq.backends.base import Consumer, Predecessor, Taken
from dlq.errors import UndecodableJob
from dlq.failure import Failure
from dlq.job import decode


def over_time(taken: Taken, predecessor: Predecessor, worker: str) -> Failure:
    timeout = taken.job.timeout if taken.job is not None else None
    limit = "its timeout" if timeout is None else f"its timeout of {timeout:g} s"
    return Failure(
        "timeout",
        f"ran longer than {limit} and was killed",
        ran=predecessor.ran,
        attempts=taken.crashes + 1,
        worker=worker,
    )


def settlement(predecessor: Predecessor, worker: str) -> tuple[Taken, Failure | None] | None:
    """For a queue that hands nothing out again: the job, and why it failed, or None where nobody is
    to blame for its end. None where there was no job, or its bytes are not known."""
    if predecessor.raw is None or predecessor.outcome not in ("started", "timed_out", "stopped"):
        return None
    taken = _taken(predecessor.raw)
    if predecessor.outcome == "stopped":
        return taken, None
    if predecessor.outcome == "timed_out":
        return taken, over_time(taken, predecessor, worker)
    reason = f"took its worker down: {predecessor.reason}; this queue runs a job once at most"
    return taken, Failure("crashed", reason, ran=predecessor.ran, worker=worker)


def settle_once(consumer: Consumer, taken: Taken, failure: Failure | None) -> bool:
    if failure is None:
        consumer.give_back(taken)
    else:
        consumer.fail(taken, failure)
    return True


def _taken(raw: bytes) -> Taken:
    try:
        return Taken(raw, decode(raw), resumed=True)
    except UndecodableJob as problem:
        return Taken(raw, None, problem.reason, resumed=True)
