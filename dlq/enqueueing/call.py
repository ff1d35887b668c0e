"""Something that is called like a task's function and stores a job instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, NamedTuple, ParamSpec, TypeVar, overload

from dlq.enqueueing.call_check import CallCheck
from dlq.enqueueing.options import CallOptions
from dlq.job import Job, new_job
from dlq.jobs.placement import AT_ONCE, Placement, lock_name
from dlq.types import QueueName

if TYPE_CHECKING:
    from dlq.backends.base import BaseBackend

P = ParamSpec("P")
T = TypeVar("T")


class Enqueue(Generic[P, T]):
    """Called like the function, or with one or more of three options in addition: then a type
    checker accepts any other argument (a type cannot say "these, and its own")."""

    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T: ...
    @overload
    def __call__(
        self,
        *args: Any,
        django_lightweight_queue_queue: str,
        django_lightweight_queue_timeout: float | None = ...,
        django_lightweight_queue_sigkill_on_stop: bool = ...,
        **kwargs: Any,
    ) -> T: ...
    @overload
    def __call__(
        self,
        *args: Any,
        django_lightweight_queue_timeout: float | None,
        django_lightweight_queue_sigkill_on_stop: bool = ...,
        **kwargs: Any,
    ) -> T: ...
    @overload
    def __call__(
        self, *args: Any, django_lightweight_queue_sigkill_on_stop: bool, **kwargs: Any
    ) -> T: ...

    def __call__(self, *args: Any, **kwargs: Any) -> T:
        """Enqueue a job. Keyword arguments `django_lightweight_queue_queue`, `…_timeout` and
        `…_sigkill_on_stop` override the task's own for this call.

        Raises UnusableArgument, and EnqueueError where the server did not store it.
        """
        return self._enqueue(args, kwargs)

    def _enqueue(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> T:
        raise NotImplementedError


class StoreRequest(NamedTuple):
    """A job that has passed every check, and how it is to be stored. `lock` is the name of its
    lock, empty where the task is not unique."""

    job: Job
    queue: QueueName
    placement: Placement
    lock: str

    def store(self) -> bool:
        """Return whether it was stored: False where an equal unique job waits."""
        backend = backend_of(self.queue)
        if self.placement is AT_ONCE:
            backend.enqueue(self.job, self.queue)
            return True
        return bool(backend.store([self.job], self.queue, self.placement, [self.lock]))


def request(
    check: CallCheck, args: tuple[Any, ...], kwargs: dict[str, Any], options: CallOptions
) -> StoreRequest:
    """Check a call and make its job."""
    queue, timeout, sigkill_on_stop, placement, key, _ = check.check(args, kwargs, options)
    job = new_job(check.path, args, kwargs, timeout, sigkill_on_stop)
    lock = "" if placement.unique is None else lock_name(check.path, args, kwargs, key)
    return StoreRequest(job, queue, placement, lock)


def backend_of(queue: QueueName) -> BaseBackend:
    from dlq import runtime

    return runtime.current().backend(queue)
