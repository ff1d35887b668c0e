"""The name that django-lightweight-queue 4.11.0 has in its default MIDDLEWARE without shipping it.

Setting ATOMIC_JOBS took its place: jobs run in a transaction without any middleware.
"""

from __future__ import annotations


class TransactionMiddleware:
    """Does nothing; kept so that settings which name it go on working."""

    def process_job(self, *args: object) -> None:
        """ATOMIC_JOBS does it."""
