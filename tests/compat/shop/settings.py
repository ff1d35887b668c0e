"""A project that runs with django-lightweight-queue 4.11 and with dlq alike."""

import json
import os

SECRET_KEY = "for tests only"
USE_TZ = True
INSTALLED_APPS = ["django_lightweight_queue", "orders"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}

LIGHTWEIGHT_QUEUE_WORKERS = json.loads(os.environ.get("SHOP_WORKERS", '{"emails": 1}'))
LIGHTWEIGHT_QUEUE_BACKEND = os.environ["SHOP_BACKEND"]
LIGHTWEIGHT_QUEUE_REDIS_PORT = int(os.environ["SHOP_PORT"])
LIGHTWEIGHT_QUEUE_REDIS_PREFIX = os.environ["SHOP_PREFIX"]
LIGHTWEIGHT_QUEUE_MIDDLEWARE = [
    "django_lightweight_queue.middleware.logging.LoggingMiddleware",
]

LOGGING = {
    "version": 1,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
