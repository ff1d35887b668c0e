"""A task with options, which `task.using(...)` returns; and calls that wait for a commit."""

from __future__ import annotations

import warnings
from typing import Any

from dlq.enqueueing.bulk import BulkEnqueue
from dlq.enqueueing.call import Enqueue, P, request
from dlq.enqueueing.call_check import CallCheck
from dlq.enqueueing.options import CallOptions, queue_name
from dlq.errors import UnusableArgument


class Configured(Enqueue[P, bool]):
    """Called like its task: enqueues a job with these options. Returns whether the job was stored,
    which is False only where an equal job of a unique task waits."""

    def __init__(self, check: CallCheck, options: CallOptions) -> None:
        self._check = check
        self._options = options

    def __repr__(self) -> str:
        return f"<Configured: {self._check.path} {self._options}>"

    @property
    def on_commit(self) -> Enqueue[P, None]:
        """Called like the task: enqueues when the current database transaction commits, and never
        if it rolls back; at once outside of a transaction. The job is made now, so wrong arguments
        raise now, and a later change of mutable ones changes nothing."""
        return OnCommit(self._check, self._options)

    def bulk_enqueue(
        self, batch_size: int = 1000, queue_override: str | None = None
    ) -> BulkEnqueue[P]:
        """Return a context manager that gives a function to enqueue with, which sends in batches:

            with send.bulk_enqueue() as enqueue:
                for order in orders:
                    enqueue(order.pk)

        When the block raises, nothing more is sent (full batches may have been).
        """
        options = self._options
        if queue_override:
            queue = queue_name(self._check.path, "queue_override", queue_override)
            options = options._replace(queue=queue)
        return BulkEnqueue(self._check, options, batch_size)

    def _enqueue(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        if self._options.database is not None:
            raise UnusableArgument(
                f"{self._check.path}: database={self._options.database!r} names the commit to wait"
                " for, and this call waits for none: call .on_commit(...)"
            )
        return request(self._check, args, kwargs, self._options).store()


class OnCommit(Enqueue[P, None]):
    """Enqueues a task when the current transaction commits."""

    def __init__(self, check: CallCheck, options: CallOptions) -> None:
        self._check = check
        self._options = options

    def _enqueue(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        from django.db import transaction

        prepared = request(self._check, args, kwargs, self._options)
        if self._options.database is None:
            _warn_of_other_transaction(self._check.path)
        transaction.on_commit(prepared.store, using=self._options.database)


def _warn_of_other_transaction(path: str) -> None:
    """Warn where the job is enqueued at once although a transaction is open, in another database
    than the default one."""
    from django.db import DEFAULT_DB_ALIAS, connections

    opened = connections.all(initialized_only=True)
    if any(each.alias == DEFAULT_DB_ALIAS and each.in_atomic_block for each in opened):
        return
    other = next((each.alias for each in opened if each.in_atomic_block), None)
    if other is not None:
        warnings.warn(
            f"{path}.on_commit enqueues at once: no transaction is open in the database"
            f" {DEFAULT_DB_ALIAS!r}, but one is in {other!r}; to wait for its commit, call"
            f" .using(database={other!r}).on_commit(...)",
            RuntimeWarning,
            stacklevel=4,
        )
