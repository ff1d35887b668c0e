"""What becomes of a job that is not run: of what the last process of a number had in hand when it
died, and of what nobody can read. Failures are made here; who tells the backend is the caller's."""

from __future__ import annotations

from dlq.backends.base import Consumer, Delivery, PreviousProcess
from dlq.jobs.failure import Failure
from dlq.primitives.text import printable


def refusal(
    taken: Delivery, previous: PreviousProcess, max_crashes: int, worker: str
) -> Failure | None:
    """Why the job must not be run, or None. `previous`: in whose hands it was found."""
    if taken.job is None:
        return Failure("undecodable", printable(taken.problem or "", 500), worker=worker)
    if not taken.redelivered:
        return None
    if previous.outcome == "timed_out":
        return over_time(taken, previous, worker)
    if taken.crashes < max_crashes:
        return None
    is_known = previous.outcome == "started"
    last = previous.reason if is_known and previous.reason else "unseen"
    times = "once" if taken.crashes == 1 else f"{taken.crashes} times"
    return Failure(
        "crashed",
        f"took its worker down {times}, the last time: {last}",
        ran=previous.ran if is_known else None,
        attempts=taken.crashes,
        worker=worker,
    )


def over_time(taken: Delivery, previous: PreviousProcess, worker: str) -> Failure:
    timeout = taken.job.timeout if taken.job is not None else None
    limit = "its timeout" if timeout is None else f"its timeout of {timeout:g} s"
    return Failure(
        "timeout",
        f"ran longer than {limit} and was killed",
        ran=previous.ran,
        attempts=taken.crashes + 1,
        worker=worker,
    )


def settlement(previous: PreviousProcess, worker: str) -> tuple[Delivery, Failure | None] | None:
    """For a queue that hands nothing out again: the job, and why it failed, or None where nobody is
    to blame for its end. None where there was no job, or its bytes are not known."""
    if previous.raw is None or previous.outcome not in ("started", "timed_out", "stopped"):
        return None
    taken = Delivery.read(previous.raw, redelivered=True)
    if previous.outcome == "stopped":
        return taken, None
    if previous.outcome == "timed_out":
        return taken, over_time(taken, previous, worker)
    reason = f"took its worker down: {previous.reason}; this queue runs a job once at most"
    return taken, Failure("crashed", reason, ran=previous.ran, worker=worker)


def settle_once(consumer: Consumer, taken: Delivery, failure: Failure | None) -> bool:
    if failure is None:
        consumer.give_back(taken)
    else:
        consumer.fail(taken, failure)
    return True
