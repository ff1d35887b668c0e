"""The task of cron jobs under the path that it has in stored jobs, and the rows as 4.11 gives them.

The rows are values in dlq (`dlq.cron.rows.row.CronRow`); these dicts are copies, for code that
reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dlq import runtime
from dlq.decorator import contribute_implied_queue_name
from dlq.planning.split import SCHEDULER_NAME as CRON_QUEUE_NAME
from dlq.scheduler.execute import execute

__all__ = ("CRON_QUEUE_NAME", "ensure_queue_workers_for_config", "execute", "get_cron_config")


def get_cron_config() -> Sequence[dict[str, Any]]:
    """The valid rows of all cron.py files, with functions that match the fields of a time."""
    from dlq.cron.rows.schedule import matching

    config = []
    for row in runtime.current().cron_rows():
        minutes, hours, _, _, days = row.expression.split()
        accepted = matching(row.expression)
        config.append(
            {
                "command": row.command,
                "minutes": minutes,
                "hours": hours,
                "days": days,
                "schedule": row.expression,
                "min_matcher": accepted.minutes.__contains__,
                "hour_matcher": accepted.hours.__contains__,
                "day_matcher": accepted.weekdays.__contains__,
                "queue": row.queue,
                "timeout": row.timeout,
                "sigkill_on_stop": row.sigkill_on_stop,
                "command_args": list(row.command_args),
                "command_kwargs": dict(row.command_kwargs),
            }
        )
    return config


def ensure_queue_workers_for_config(config: Iterable[Mapping[str, Any]]) -> None:
    """Give each queue of the rows a worker, unless WORKERS says otherwise."""
    for row in config:
        contribute_implied_queue_name(row["queue"])
