"""What each machine would run: the plan, with every finding about it.

Starts nothing and contacts nothing. `run` starts what `make_plan` says, and nothing else.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from dlq.config.resolution import Resolution
from dlq.cron.files.configuration import implied_queues
from dlq.diagnostics.finding import Finding, errors, in_reading_order
from dlq.planning.implied_queues import implied_by_tasks, is_overridden
from dlq.planning.review import review_plan
from dlq.planning.split import Pool, QueuePlan, Split, compose_queues, split
from dlq.project.load import Project

if TYPE_CHECKING:
    from dlq.config.settings import Settings
    from dlq.cron.rows.row import CronRow


class Plan(NamedTuple):
    """`split` is None where errors in the settings leave nothing to deal out. `rows` are all valid
    cron rows."""

    pool: Pool
    split: Split | None
    rows: tuple[CronRow, ...]
    resolution: Resolution | None
    findings: tuple[Finding, ...]

    @property
    def is_valid(self) -> bool:
        return self.split is not None and not errors(self.findings)

    @property
    def runs_cron(self) -> bool:
        """Whether a machine that this plan is for schedules cron rows."""
        return self.split is not None and self.split.runs_cron

    @property
    def schedulers(self) -> tuple[int, ...]:
        """The machines of the pool that schedule cron rows."""
        return () if self.split is None else self.split.schedulers


def make_plan(project: Project, pool: Pool) -> Plan:
    """The plan for `pool`, with the project's findings and its own."""
    resolution = project.resolution
    settings = None if resolution is None else resolution.settings
    rows = () if pool.exact else project.cron.rows
    if resolution is None or settings is None:
        return Plan(pool, None, rows, resolution, project.findings)
    queues = queues_of(project, resolution, settings, exact=pool.exact)
    dealt = split(
        queues,
        pool,
        key_prefix=settings.redis_prefix,
        placement=settings.placement,
        cron_machines=settings.cron_machines if rows else None,
    )
    found = [*project.findings, *review_plan(project, resolution, settings, dealt, rows)]
    return Plan(pool, dealt, rows, resolution, tuple(in_reading_order(found)))


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


def next_run(row: CronRow, settings: Settings, now: datetime) -> datetime | None:
    """The next instant at which a row fires, in UTC."""
    from dlq.cron.rows.schedule import runs

    return next(iter(runs(row, now, settings.cron_timezone)), None)
