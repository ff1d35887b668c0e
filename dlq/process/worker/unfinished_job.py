"""The outcome of a job that is not run to its end: what the last process of a number was running
when it died, and bytes that cannot be decoded. Pure but for `write_outcome`."""

from __future__ import annotations

import math

from dlq.backends.base import Consumer, Delivery, PreviousProcess
from dlq.jobs.failure import Failure
from dlq.primitives.text import printable


def refusal(
    delivery: Delivery, previous: PreviousProcess, max_crashes: int, worker: str
) -> Failure | None:
    """Why the job must not be run, or None. `previous`: in whose hands it was found."""
    if delivery.job is None:
        return Failure("undecodable", printable(delivery.problem or "", 500), worker=worker)
    if not delivery.redelivered:
        return None
    if previous.outcome == "timed_out":
        return over_time(delivery, previous, worker)
    if delivery.crashes < max_crashes:
        return None
    is_known = previous.outcome == "started"
    last = previous.reason if is_known and previous.reason else "unseen"
    times = "once" if delivery.crashes == 1 else f"{delivery.crashes} times"
    return Failure(
        "crashed",
        f"took its worker down {times}, the last time: {last}",
        ran=previous.ran if is_known else None,
        attempts=delivery.crashes,
        worker=worker,
    )


def over_time(delivery: Delivery, previous: PreviousProcess, worker: str) -> Failure:
    """Return why a job failed that the supervisor ended: it ran longer than its timeout, or a
    person asked for its end, which moves its deadline forward (`Slot.end_now`)."""
    timeout = delivery.job.timeout if delivery.job is not None else None
    ran = previous.ran
    if ran is not None and ran < (math.inf if timeout is None else timeout):
        reason = f"was ended by `dlq kill` after {ran:.1f} s"
        return Failure("killed", reason, ran=ran, attempts=delivery.crashes + 1, worker=worker)
    limit = "its timeout" if timeout is None else f"its timeout of {timeout:g} s"
    return Failure(
        "timeout",
        f"ran longer than {limit} and was killed",
        ran=previous.ran,
        attempts=delivery.crashes + 1,
        worker=worker,
    )


def unfinished_delivery(
    previous: PreviousProcess, worker: str
) -> tuple[Delivery, Failure | None] | None:
    """Return the unfinished job of a queue that redelivers nothing, and why it failed, or None
    where it is not to blame. None where there was no job, or its bytes are not known."""
    if previous.raw is None or previous.outcome not in ("started", "timed_out", "stopped"):
        return None
    delivery = Delivery.read(previous.raw, redelivered=True)
    if previous.outcome == "stopped":
        return delivery, None
    if previous.outcome == "timed_out":
        return delivery, over_time(delivery, previous, worker)
    reason = f"took its worker down: {previous.reason}; this queue runs a job once at most"
    return delivery, Failure("crashed", reason, ran=previous.ran, worker=worker)


def write_outcome(consumer: Consumer, delivery: Delivery, failure: Failure | None) -> None:
    if failure is None:
        consumer.give_back(delivery)
    else:
        consumer.fail(delivery, failure)
