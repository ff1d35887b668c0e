"""Settings of the demo. The server comes from the environment, where `dlq demo` puts it."""

from __future__ import annotations

SECRET_KEY = "the demo signs nothing"
USE_TZ = True
INSTALLED_APPS = ["dlq", "dlq.demo.shop"]
DATABASES: dict[str, dict[str, str]] = {}

LIGHTWEIGHT_QUEUE_BACKEND = "dlq.backends.reliable_redis.ReliableRedisBackend"
LIGHTWEIGHT_QUEUE_WORKERS = {
    "default": 2,
    "emails": 1,
}
LIGHTWEIGHT_QUEUE_ATOMIC_JOBS = False
LIGHTWEIGHT_QUEUE_STOP_TIMEOUT = 5
