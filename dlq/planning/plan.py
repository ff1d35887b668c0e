"""What each machine would run: the plan, with everything that is to be said about it.

Starts nothing and contacts nothing. `run` starts what `make_plan` says, and nothing else.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from dlq.config.resolution import Resolution
from dlq.config.settings import Settings
from dlq.cron.files.configuration import implied_queues
from dlq.diagnostics.finding import Finding, errors, in_reading_order
from dlq.planning.implied_queues import implied_by_tasks, is_overridden
from dlq.planning.review import review_plan
from dlq.planning.split import SCHEDULER_NAME, Pool, QueuePlan, Split, compose_queues, split
from dlq.project.load import Project

if TYPE_CHECKING:
    from dlq.cron.rows.row import CronRow


class Plan(NamedTuple):
    """`split` is None where errors in the settings leave nothing to deal out. `rows` are all valid
    cron rows, `schedulers` the machines that schedule them."""

    pool: Pool
    split: Split | None
    rows: tuple[CronRow, ...]
    schedulers: tuple[int, ...]
    resolution: Resolution | None
    findings: tuple[Finding, ...]

    @property
    def is_valid(self) -> bool:
        return self.split is not None and not errors(self.findings)

    @property
    def runs_cron(self) -> bool:
        """Whether a machine that this plan is for schedules cron rows."""
        return self.split is not None and self.split.runs_cron and bool(self.rows)


def make_plan(project: Project, pool: Pool) -> Plan:
    """The plan for `pool`, with the project's findings and its own."""
    resolution = project.resolution
    settings = None if resolution is None else resolution.settings
    rows = () if pool.exact else project.cron.rows
    if resolution is None or settings is None:
        return Plan(pool, None, rows, (), resolution, project.findings)
    queues = queues_of(project, resolution, settings, exact=pool.exact)
    dealt = split(queues, pool, key_prefix=settings.redis_prefix)
    schedulers = _schedulers(pool, settings)
    dealt = dealt._replace(
        runs_cron=bool(schedulers) and (pool.machine is None or pool.machine in schedulers),
    )
    found = [*project.findings, *review_plan(project, resolution, settings, dealt, rows)]
    return Plan(pool, dealt, rows, schedulers, resolution, tuple(in_reading_order(found)))


def queues_of(
    project: Project, resolution: Resolution, settings: Settings, *, exact: bool = False
) -> tuple[QueuePlan, ...]:
    """Every queue of the configuration, sorted by name."""
    return compose_queues(
        settings.workers,
        implied_by_tasks(project.declarations),
        implied_queues(project.cron.rows),
        settings.backend_overrides,
        settings.backend,
        exact=exact,
        overridden=is_overridden(resolution),
    )


def _schedulers(pool: Pool, settings: Settings) -> tuple[int, ...]:
    if pool.exact or pool.only_queue not in (None, SCHEDULER_NAME):
        return ()
    return tuple(range(1, pool.of + 1)) if settings.cron_machines == "all" else (1,)


def next_run(row: CronRow, settings: Settings, now: datetime) -> datetime | None:
    from dlq.cron.rows.schedule import runs

    return next(iter(runs(row, now, settings.cron_timezone)), None)
