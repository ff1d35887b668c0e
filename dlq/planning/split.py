"""Who runs what: the queues of a configuration, dealt out to the machines of a pool.

Pure: no clock, no host name, no Django. The split is the contract with django-lightweight-queue
4.11, number for number, because both may share a pool during a migration.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple, TypeAlias

from dlq.planning.placement import Placement, assign_machines
from dlq.types import QueueName, Source, WorkerNumber

SCHEDULER_NAME = QueueName("cron_scheduler")
"""What `--only-queue` calls the cron scheduler, as in 4.11."""

DEFAULT_QUEUE = QueueName("default")

Origin: TypeAlias = Literal["setting", "task", "cron"]

CronMachines: TypeAlias = Literal["first", "all"]


class Pool(NamedTuple):
    """Which part of the workers a plan is for. `machine` counts from 1 and is None where the plan
    is for all machines; `exact` is a configuration without a pool (machine and of are then 1)."""

    machine: int | None = 1
    of: int = 1
    exact: bool = False
    only_queue: QueueName | None = None


class QueuePlan(NamedTuple):
    """One queue: how many workers it has over the whole pool, and who says so. `source` is None
    where WORKERS does: the resolution knows its source locations."""

    name: QueueName
    workers: int
    backend: str
    source: Source | None
    origin: Origin


class PlannedWorker(NamedTuple):
    """`position` counts the workers of its machine from 1: metrics ports are the start port plus
    it."""

    machine: int
    queue: QueueName
    number: WorkerNumber
    position: int

    @property
    def name(self) -> str:
        return f"{self.queue}/{self.number}"


class Split(NamedTuple):
    """The planner's answer. `workers` are those of the pool's machine, or of all machines;
    `schedulers` are the machines of the pool that schedule cron rows."""

    pool: Pool
    pool_id: str
    queues: tuple[QueuePlan, ...]
    workers: tuple[PlannedWorker, ...]
    schedulers: tuple[int, ...]
    placement: Placement = "dealt"

    @property
    def runs_cron(self) -> bool:
        """Whether a machine that this split is for schedules cron rows."""
        if self.pool.machine is None:
            return bool(self.schedulers)
        return self.pool.machine in self.schedulers


def compose_queues(
    workers: Mapping[str, int],
    implied_by_tasks: Mapping[QueueName, Source],
    implied_by_cron: Mapping[QueueName, Source],
    backend_of: Mapping[str, str],
    default_backend: str,
    *,
    exact: bool,
    overridden: bool,
) -> tuple[QueuePlan, ...]:
    """The queues that have workers, or are named with 0 of them, sorted by name.

    `overridden`: WORKERS comes from an override file or the environment, and is then the whole
    truth for what tasks imply. An exact configuration implies nothing.
    """
    queues: dict[QueueName, tuple[int, Source | None, Origin]] = {
        QueueName(name): (count, None, "setting") for name, count in workers.items()
    }
    if not overridden:
        for name, source in implied_by_tasks.items():
            queues.setdefault(name, (1, source, "task"))
    if not exact:
        for name, source in implied_by_cron.items():
            queues.setdefault(name, (1, source, "cron"))
    return tuple(
        QueuePlan(name, count, backend_of.get(name, default_backend), source, origin)
        for name, (count, source, origin) in sorted(queues.items())
    )


def split(
    queues: Iterable[QueuePlan],
    pool: Pool,
    *,
    key_prefix: str,
    placement: Placement = "dealt",
    cron_machines: CronMachines | None = "first",
) -> Split:
    """Assign the workers of `queues` (sorted by name) to the machines of `pool`.

    The workers are those of the whole list, after `only_queue` has narrowed it. With "dealt" they
    are counted from 1, and number k belongs to machine (k mod of) + 1. `cron_machines` is None
    where there are no cron rows.
    """
    queues = tuple(queues)
    return Split(
        pool=pool,
        pool_id=pool_id(queues, pool, key_prefix, placement),
        queues=queues,
        workers=tuple(_assign(queues, pool, placement)),
        schedulers=_schedulers(pool, cron_machines),
        placement=placement,
    )


def pool_id(
    queues: Iterable[QueuePlan], pool: Pool, key_prefix: str, placement: Placement = "dealt"
) -> str:
    """Return eight hex digits that are equal on all machines of a pool that agree.

    They cover the machine count, the worker counts, the backends, the key prefix and a placement
    other than 4.11's.
    """
    content = [
        "exact" if pool.exact else pool.of,
        pool.only_queue,
        sorted((queue.name, queue.workers, queue.backend) for queue in queues),
        key_prefix,
    ]
    if placement != "dealt" and not pool.exact:
        content.append(placement)
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:8]


def _schedulers(pool: Pool, cron_machines: CronMachines | None) -> tuple[int, ...]:
    """The machines that schedule cron rows. Machine 1 alone does, by the rule of 4.11, unless
    CRON_MACHINES is "all"; an exact configuration never does."""
    if cron_machines is None or pool.exact or pool.only_queue not in (None, SCHEDULER_NAME):
        return ()
    return tuple(range(1, pool.of + 1)) if cron_machines == "all" else (1,)


def _assign(
    queues: tuple[QueuePlan, ...], pool: Pool, placement: Placement
) -> Iterator[PlannedWorker]:
    workers = [
        (queue.name, WorkerNumber(number))
        for queue in queues
        if pool.only_queue in (None, queue.name)
        for number in range(1, queue.workers + 1)
    ]
    machines = assign_machines(workers, pool.of, placement)
    positions = [0] * (pool.of + 1)
    for (queue, number), machine in zip(workers, machines, strict=True):
        positions[machine] += 1
        if pool.machine in (None, machine):
            yield PlannedWorker(machine, queue, number, positions[machine])
