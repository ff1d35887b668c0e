"""Tasks of the test project."""

from __future__ import annotations

from dlq import task


@task()
def confirm(order_id: int) -> None:
    """Does nothing."""


@task(queue="emails", timeout=30)
def mail(address: str, *, subject: str = "") -> None:
    """Does nothing."""
