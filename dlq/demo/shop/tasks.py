"""What the demo's workers do. Each job that ends well adds a line to the ledger."""

from __future__ import annotations

import os

from dlq import task

LEDGER = "DLQ_DEMO_LEDGER"
"""In the environment: the file that tells the demo which jobs are done."""


@task()
def confirm(order_id: int) -> None:
    """Fails for one order on purpose, as a job in production does now and then."""
    if order_id == 13:
        raise ValueError("order 13 has no address (on purpose)")
    _done(f"confirm {order_id}")


@task(queue="emails")
def mail(address: str, *, subject: str) -> None:
    _done(f"mail {address} {subject}")


def _done(what: str) -> None:
    # One write per line, in append mode: lines of several workers never mix.
    ledger = os.open(os.environ[LEDGER], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(ledger, f"{what}\n".encode())
    finally:
        os.close(ledger)
