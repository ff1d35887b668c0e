"""A transaction that begins with the first use of the database, on a database file: the connection
is really closed between jobs, as it is in a worker."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.signals import connection_created

from dlq.execution.run_job import Hooks, Result, run_job
from dlq.job import Job
from dlq.process.worker.database import CHECK_EVERY, DatabaseConnections
from dlq.types import QueueName, WorkerNumber
from tests.kit.waiting import wait_until
from tests.process import sample_tasks


class Database:
    """The default database, exchanged for a file of the test's own."""

    def __init__(self, path: Path, **settings: Any) -> None:
        self.path = path
        self.opened = 0
        self.connection: Any = connections.create_connection(DEFAULT_DB_ALIAS)
        self.connection.settings_dict = {
            **self.connection.settings_dict,
            "NAME": str(path),
            **settings,
        }
        self.connection.inc_thread_sharing()

    def count_opened(self, **kwargs: Any) -> None:
        self.opened += 1

    def models(self) -> list[str]:
        """As another process sees them: what has been committed."""
        with sqlite3.connect(self.path) as other:
            rows = other.execute("select model from django_content_type").fetchall()
        other.close()
        return sorted(row[0] for row in rows)

    def run(self, name: str, *args: Any) -> Result:
        job = Job(f"tests.process.sample_tasks.{name}", args, {})
        hooks = Hooks((), logging.getLogger("tests"))
        return run_job(job, QueueName("samples"), WorkerNumber(1), hooks)


@pytest.fixture
def database(tmp_path: Path, django_db_blocker: Any) -> Iterator[Database]:
    path = tmp_path / "database"
    with sqlite3.connect(path) as other:
        other.execute(
            "create table django_content_type (id integer primary key, app_label text, model text,"
            " unique (app_label, model))"
        )
    other.close()
    database = Database(path)
    before = connections[DEFAULT_DB_ALIAS]
    connections[DEFAULT_DB_ALIAS] = database.connection
    connection_created.connect(database.count_opened)
    sample_tasks.committed.clear()
    with django_db_blocker.unblock():
        yield database
        database.connection.close()
    connection_created.disconnect(database.count_opened)
    connections[DEFAULT_DB_ALIAS] = before


def test_a_job_without_queries_opens_nothing(database: Database) -> None:
    assert database.run("is_in_a_transaction").value is True
    assert database.connection.connection is None
    assert not database.connection.in_atomic_block
    assert database.opened == 0


def test_a_job_commits(database: Database) -> None:
    assert database.run("add", "one").succeeded
    assert database.models() == ["one"]
    assert database.connection.get_autocommit()
    assert database.opened == 1


def test_a_job_that_raises_is_rolled_back(database: Database) -> None:
    assert not database.run("add_and_fail", "one").succeeded
    assert database.models() == []
    database.run("add_and_fail_unprotected", "two")
    assert database.models() == ["two"]


def test_async_queries_are_part_of_the_transaction(database: Database) -> None:
    result = database.run("add_later", "one")
    assert result.failure is not None
    assert result.failure.reason == "ValueError: rolled back"
    assert database.models() == []


def test_a_block_within_is_a_savepoint(database: Database) -> None:
    assert database.run("add_in_blocks", "kept", "dropped").succeeded
    assert database.models() == ["kept"]
    assert not database.connection.in_atomic_block
    assert database.run("add", "after").succeeded
    assert database.models() == ["after", "kept"]


def test_a_durable_block_within_is_refused(database: Database) -> None:
    result = database.run("durable_block")
    assert result.failure is not None
    assert "durable" in result.failure.reason


def test_on_commit_waits_for_the_job(database: Database) -> None:
    assert database.run("tell_on_commit", "no query").succeeded
    assert database.run("tell_on_commit", "query", "one").succeeded
    assert sample_tasks.committed == ["no query", "query"]
    assert not database.run("tell_on_commit", "no", "", True).succeeded
    assert not database.run("tell_on_commit", "neither", "two", True).succeeded
    assert database.run("add", "three").succeeded
    assert sample_tasks.committed == ["no query", "query"]
    assert database.models() == ["one", "three"]


def test_a_rollback_that_is_asked_for_happens(database: Database) -> None:
    assert database.run("set_rollback", "one").succeeded
    assert database.models() == []


def test_a_connection_that_fails_is_tried_again_within_the_transaction(
    database: Database, tmp_path: Path
) -> None:
    database.connection.settings_dict["NAME"] = str(tmp_path / "no" / "directory")
    assert not database.run("add", "one").succeeded
    database.connection.settings_dict["NAME"] = str(database.path)
    assert not database.run("add_and_fail", "two").succeeded
    assert database.models() == []
    assert database.run("add", "three").succeeded
    assert database.models() == ["three"]


def test_connections_are_closed_between_jobs_by_their_age(database: Database) -> None:
    connections = DatabaseConnections()
    for model in ("one", "two"):
        connections.prepare()
        assert database.run("add", model).succeeded
        connections.tidy()
        assert database.connection.connection is None
    assert database.opened == 2

    database.connection.settings_dict["CONN_MAX_AGE"] = None
    for model in ("three", "four", "five"):
        connections.prepare()
        assert database.run("add", model).succeeded
        connections.tidy()
    assert database.opened == 3
    assert database.models() == ["five", "four", "one", "three", "two"]


def test_a_connection_that_died_between_jobs_is_replaced(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite has no server that could go away, and Django's backend for it never finds a connection
    unusable; this asks, as those for servers do."""

    def is_usable() -> bool:
        try:
            database.connection.connection.execute("select 1")
        except sqlite3.ProgrammingError:
            return False
        return True

    monkeypatch.setattr(database.connection, "is_usable", is_usable)
    database.connection.settings_dict["CONN_MAX_AGE"] = None
    connections = DatabaseConnections()
    connections.prepare()
    assert database.run("add", "one").succeeded
    connections.tidy()
    tidied_at = time.monotonic()
    database.connection.connection.close()

    wait_until(lambda: time.monotonic() > tidied_at + CHECK_EVERY)
    connections.prepare()
    assert database.run("add", "two").succeeded
    connections.tidy()
    assert database.opened == 2
    assert database.models() == ["one", "two"]
