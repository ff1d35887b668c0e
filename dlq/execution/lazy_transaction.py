"""A database transaction that costs nothing until the database is used.

`transaction.atomic()` opens a connection when its block is entered. Most jobs that are atomic by
default never touch the database, and with CONN_MAX_AGE = 0 each of them would pay for a new
connection.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.transaction import Atomic


def lazily_atomic() -> AbstractContextManager[None]:
    """Return a context like `transaction.atomic()` for the default database. The one difference:
    the connection is opened and the transaction begun by the first use.

    A connection that is open already (CONN_MAX_AGE, or an enclosing transaction) is left to
    Django's own atomic: beginning a transaction on it is cheap, and health checks are due then.
    """
    connection: Any = connections[DEFAULT_DB_ALIAS]
    is_open = connection.connection is not None or connection.in_atomic_block
    if is_open or not connection.settings_dict["AUTOCOMMIT"]:
        return transaction.atomic()
    return _LazyAtomic(connection)


_BLOCK = Atomic(DEFAULT_DB_ALIAS, savepoint=True, durable=False)
"""Django's block has no state of its own (that is on the connection), so one is enough."""


class _LazyAtomic(AbstractContextManager[None]):
    """Puts a closed connection into the state that `Atomic.__enter__` leaves, without opening it,
    and replaces its `connect`. Django resets that state when it connects, so it is
    restored around the call, with the transaction begun in between."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        connection = self._connection
        connection.in_atomic_block = True
        connection.commit_on_exit = True
        connection.needs_rollback = False
        connection.closed_in_transaction = False
        connection.atomic_blocks.append(_BLOCK)
        connection.connect = self._connect

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        connection = self._connection
        if "connect" not in vars(connection):
            _BLOCK.__exit__(exc_type, exc_value, traceback)
            return
        del connection.connect
        rolled_back = exc_type is not None or connection.needs_rollback
        connection.in_atomic_block = False
        connection.needs_rollback = False
        connection.atomic_blocks.clear()
        connection.savepoint_ids.clear()
        if rolled_back:
            connection.run_on_commit = []
        elif connection.run_on_commit:
            connection.run_and_clear_commit_hooks()

    def _connect(self) -> None:
        connection = self._connection
        state = {
            name: getattr(connection, name)
            for name in ("atomic_blocks", "savepoint_ids", "run_on_commit", "needs_rollback")
        }
        try:
            type(connection).connect(connection)
            connection.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
            del connection.connect
        except BaseException:
            # A job may catch this and try again: that must come by here again, and must not find
            # a connection without a transaction.
            connection.in_atomic_block = False
            connection.close()
            raise
        finally:
            connection.in_atomic_block = True
            for name, value in state.items():
                setattr(connection, name, value)
