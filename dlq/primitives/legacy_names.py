"""Dotted paths of classes, and the names that django-lightweight-queue 4.11 has for ours."""

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


def path_of_word(word: str) -> str | None:
    """The dotted path of the backend of dlq that a single word seems to mean."""
    known = {
        "reliable": "reliable_redis.ReliableRedisBackend",
        "redis": "reliable_redis.ReliableRedisBackend",
        "valkey": "reliable_redis.ReliableRedisBackend",
        "debug": "debug_web.DebugWebBackend",
        "sync": "synchronous.SynchronousBackend",
    }
    if word == "RedisBackend":
        return "dlq.backends.redis.RedisBackend"
    found = next((path for start, path in known.items() if start in word.lower()), None)
    return None if found is None else f"dlq.backends.{found}"
