"""Django's database connections between two jobs, as Django has them between two requests, and a
little better.
"""

from __future__ import annotations

import time
from typing import Any

CHECK_EVERY = 1.0
"""Seconds. A connection that jobs share (CONN_MAX_AGE) is asked whether it still works before a job
uses it, but not more often than this. Django asks where CONN_HEALTH_CHECKS is set, and before each
request then; without, the job after a restart of the database server would be a failed one."""


class DatabaseConnections:
    """Most jobs use no database, and asking Django for its connections costs as much as all else
    that is done for such a job; so it is asked only while one has been opened."""

    def __init__(self) -> None:
        from django.db.backends.signals import connection_created

        self._may_be_open = bool(_open_connections())
        self._checked: dict[str, float] = {}
        connection_created.connect(self._opened)

    def prepare(self) -> None:
        """Before a job: have connections checked when they are used, where it is time for that."""
        if not self._may_be_open:
            return
        now = time.monotonic()
        for connection in _open_connections():
            if now - self._checked.get(connection.alias, 0.0) >= CHECK_EVERY:
                connection.health_check_enabled = True

    def tidy(self) -> None:
        """After a job: close what is over its CONN_MAX_AGE or broken; forget the queries that DEBUG
        records."""
        if not self._may_be_open:
            return
        from django.conf import settings
        from django.db import close_old_connections, reset_queries

        if settings.DEBUG:
            reset_queries()
        for connection in _open_connections():
            if connection.health_check_done:
                self._checked[connection.alias] = time.monotonic()
            connection.health_check_enabled = connection.settings_dict["CONN_HEALTH_CHECKS"]
        close_old_connections()
        self._may_be_open = bool(_open_connections())

    def _opened(self, **kwargs: Any) -> None:
        self._may_be_open = True


def _open_connections() -> list[Any]:
    from django.db import connections

    return [c for c in connections.all(initialized_only=True) if c.connection is not None]
