"""Which workers a machine runs, as 4.11 gives it: thin views of the split."""

from __future__ import annotations

from collections.abc import Sequence

from django_lightweight_queue.utils import get_queue_counts
from dlq.planning.split import Pool, QueuePlan, Split, split
from dlq.types import QueueName, WorkerNumber

__all__ = ("DirectlyConfiguredMachine", "Machine", "PooledMachine")


class Machine:
    """One machine. `pool` is the part of the workers that it takes."""

    pool = Pool()
    configure_cron = True
    """Whether cron rows imply queues."""

    @property
    def run_cron(self) -> bool:
        """Whether this machine schedules cron rows."""
        return self._split().runs_cron

    @property
    def worker_names(self) -> Sequence[tuple[QueueName, WorkerNumber]]:
        """Queue and number of each worker of this machine; numbers count from 1."""
        return [(worker.queue, worker.number) for worker in self._split().workers]

    def _split(self) -> Split:
        counts = sorted(get_queue_counts().items())
        queues = [QueuePlan(name, count, "", None, "setting") for name, count in counts]
        return split(queues, self.pool, key_prefix="")


class PooledMachine(Machine):
    """A machine of a pool of `machine_count`, numbered from 1."""

    def __init__(
        self, machine_number: int, machine_count: int, only_queue: QueueName | None = None
    ) -> None:
        self.machine_number = machine_number
        self.machine_count = machine_count
        self.only_queue = only_queue
        self.pool = Pool(machine_number, machine_count, only_queue=only_queue or None)


class DirectlyConfiguredMachine(Machine):
    """A machine that runs what its own configuration names, and no cron."""

    pool = Pool(exact=True)
    configure_cron = False
