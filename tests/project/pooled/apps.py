"""The query is made before the workers are forked."""

from __future__ import annotations

from django.apps import AppConfig

from tests.kit.ledger import record


class PooledConfig(AppConfig):
    name = "tests.project.pooled"
    label = "pooled"

    def ready(self) -> None:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("select pg_backend_pid()")
            record("ready", cursor.fetchone()[0])
