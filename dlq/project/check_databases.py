"""Databases of the project that cannot serve the workers of a plan. Needs Django's settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dlq.diagnostics.finding import Finding
from dlq.diagnostics.rules import processes as rules
from dlq.primitives.text import counted

LOCKING_MODES = ("IMMEDIATE", "EXCLUSIVE")


def check_databases(workers: int) -> Iterator[Finding]:
    """Warn of SQLite files that `workers` of one machine write to, each in a transaction that takes
    the lock only when it writes: SQLite then refuses at once, without waiting for `timeout`."""
    from django.conf import settings

    if workers < 2:
        return
    databases: Mapping[str, Mapping[str, Any]] = settings.DATABASES
    for alias, database in databases.items():
        options = database.get("OPTIONS") or {}
        mode = str(options.get("transaction_mode") or "DEFERRED").upper()
        if not _is_sqlite_file(database) or mode in LOCKING_MODES:
            continue
        from dlq.provenance.observed_settings import DjangoSettingLocations

        yield rules.W409.finding(
            f"DATABASES[{alias!r}] is SQLite with transaction_mode {mode}, and"
            f" {counted(workers, 'worker')} of a machine write to it: jobs can fail with"
            " 'database is locked'",
            DjangoSettingLocations(settings)("DATABASES").source,
            'add to it: "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20}',
        )


def _is_sqlite_file(database: Mapping[str, object]) -> bool:
    """A database in memory is one for each process, and nothing is shared."""
    name = str(database.get("NAME") or "")
    is_sqlite = str(database.get("ENGINE", "")).rpartition(".")[2] in ("sqlite3", "spatialite")
    return is_sqlite and name != ":memory:" and "mode=memory" not in name
