"""A small shop: enough of Django to run tasks, cron and the queue's commands."""

import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = os.environ.get("SECRET_KEY", "only for trying the example out")
DEBUG = os.environ.get("DEBUG") == "1"
ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
ROOT_URLCONF = "shop.urls"
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DEFAULT_FROM_EMAIL = "shop@example.com"

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "dlq",
    "orders",
]

MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("SHOP_DATABASE", BASE_DIR / "db.sqlite3"),
        # Several workers write: wait for the lock, and take it when a transaction begins.
        "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE"},
    }
}

EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = os.environ.get("SHOP_MAIL", BASE_DIR / "sent-mail")

# The queue. The server's address comes from the environment where it isn't this one, for instance
# LIGHTWEIGHT_QUEUE_REDIS_URL=rediss://dlq:secret@redis.internal:6379/0
LIGHTWEIGHT_QUEUE_BACKEND = "dlq.backends.reliable_redis.ReliableRedisBackend"
LIGHTWEIGHT_QUEUE_REDIS_PREFIX = "shop"
LIGHTWEIGHT_QUEUE_WORKERS = {
    "emails": 3,
    "images": 2,
    "reports": 1,
}

# A lost report is no loss, the next one says the same: this queue takes jobs at most once.
LIGHTWEIGHT_QUEUE_BACKEND_OVERRIDES = {
    "reports": "dlq.backends.redis.RedisBackend",
}

# Tasks of Django's own framework run on the same queues; their results are kept for a day.
TASKS = {
    "default": {
        "BACKEND": "dlq.django_tasks.DlqBackend",
        "OPTIONS": {"results": 86_400, "on_commit": True},
    },
}

# A stop waits this long for running jobs (seconds); the units around it must wait longer.
LIGHTWEIGHT_QUEUE_STOP_TIMEOUT = 50

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
