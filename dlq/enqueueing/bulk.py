"""Many calls of a task, stored in batches."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from dlq.enqueueing.call import Enqueue, P, backend_of
from dlq.enqueueing.call_check import CallCheck
from dlq.enqueueing.options import CallOptions
from dlq.jobs.batch import Batch
from dlq.jobs.placement import AT_ONCE, lock_name
from dlq.types import QueueName


class BulkEnqueue(Enqueue[P, None]):
    """One bulk_enqueue block. Jobs leave in the order of the calls, one queue's at a time.
    `stored` counts them; of a unique task, equal ones that wait are not stored again."""

    def __init__(self, check: CallCheck, options: CallOptions, batch_size: int) -> None:
        if batch_size < 1:
            raise ValueError(f"bulk_enqueue: batch_size is {batch_size}, and must be 1 or more")
        self.stored = 0
        self._check = check
        self._options = options
        self._batch_size = batch_size
        self._waiting: dict[QueueName, Batch] = {}
        self._is_open = False

    def __enter__(self) -> BulkEnqueue[P]:
        self._is_open = True
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_open = False
        if exc_type is None:
            for queue in list(self._waiting):
                self._send(queue)

    def _enqueue(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        path = self._check.path
        if not self._is_open:
            raise RuntimeError(
                f"{path}: this bulk_enqueue block has ended, and nothing would send the job: call"
                " it within the with block"
            )
        queue, timeout, sigkill_on_stop, placement, key, _ = self._check.check(
            args, kwargs, self._options
        )
        batch = self._waiting.get(queue)
        if batch is None:
            batch = self._waiting[queue] = Batch()
        batch.add(path, args, kwargs, timeout, sigkill_on_stop)
        if placement.unique is not None:
            batch.locks.append(lock_name(path, args, kwargs, key))
        if len(batch.raws) >= self._batch_size:
            self._send(queue)

    def _send(self, queue: QueueName) -> None:
        jobs = self._waiting.pop(queue)
        backend, placement = backend_of(queue), self._options.placement
        if placement is AT_ONCE:
            backend.bulk_enqueue(jobs, queue)
            self.stored += len(jobs)
        else:
            self.stored += backend.store(jobs, queue, placement, jobs.locks)
