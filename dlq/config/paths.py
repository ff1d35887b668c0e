"""Dotted paths of classes, and the names that django-lightweight-queue 4.11 had for ours."""

from __future__ import annotations

OLD_PACKAGE = "django_lightweight_queue"
OLD_TRANSACTION_MIDDLEWARE = f"{OLD_PACKAGE}.middleware.transaction.TransactionMiddleware"
"""4.11.0 names it in its default MIDDLEWARE without shipping it."""


def modern_path(path: str) -> str:
    """The path under which dlq has what the old package had under `path`; other paths unchanged.

    Two machines of a pool that spell a backend differently must agree on the pool's id, so the
    settings hold one spelling.
    """
    if path.startswith(f"{OLD_PACKAGE}."):
        return f"dlq.{path.removeprefix(f'{OLD_PACKAGE}.')}"
    return path
