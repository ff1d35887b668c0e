"""A Django project with the usual apps, and the one of the system under test.

The harness says by the environment which system that is, and where its server is.
"""

from __future__ import annotations

import os

SYSTEM = os.environ["BENCH_SYSTEM"]
PORT = int(os.environ["BENCH_PORT"])
URL = f"redis://127.0.0.1:{PORT}/0"

SECRET_KEY = "for benchmarks only"
DEBUG = False
USE_TZ = True
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "tests.benchmarks.project.urls"
STATIC_URL = "static/"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    f"tests.benchmarks.project.with_{SYSTEM}",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["BENCH_DATABASE"]}
}

if SYSTEM == "lightweight":
    # dlq and the 4.11 that it succeeds: one configuration, by the names that both know. The wheel
    # of 4.11 lacks a module that its default middleware names, so the rest of it is named here.
    INSTALLED_APPS.append(os.environ["BENCH_APP"])
    LIGHTWEIGHT_QUEUE_WORKERS = {"default": int(os.environ["BENCH_WORKERS"])}
    LIGHTWEIGHT_QUEUE_BACKEND = (
        "django_lightweight_queue.backends.reliable_redis.ReliableRedisBackend"
    )
    LIGHTWEIGHT_QUEUE_MIDDLEWARE = ["django_lightweight_queue.middleware.logging.LoggingMiddleware"]
    LIGHTWEIGHT_QUEUE_REDIS_PORT = PORT
    LIGHTWEIGHT_QUEUE_ATOMIC_JOBS = True
elif SYSTEM == "huey":
    INSTALLED_APPS.append("huey.contrib.djhuey")
    HUEY = {"name": "bench", "connection": {"port": PORT}, "immediate": False}
elif SYSTEM == "dramatiq":
    INSTALLED_APPS.insert(0, "django_dramatiq")
    DRAMATIQ_BROKER = {
        "BROKER": "dramatiq.brokers.redis.RedisBroker",
        "OPTIONS": {"url": URL},
        # The extension's recommended ones, less the one that writes each job to the database.
        "MIDDLEWARE": [
            "dramatiq.middleware.AgeLimit",
            "dramatiq.middleware.TimeLimit",
            "dramatiq.middleware.Callbacks",
            "dramatiq.middleware.Retries",
            "django_dramatiq.middleware.DbConnectionsMiddleware",
        ],
    }
elif SYSTEM == "rq":
    INSTALLED_APPS.append("django_rq")
    RQ_QUEUES = {"default": {"URL": URL}}
