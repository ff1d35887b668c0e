"""The task of cron jobs under the path that it has in stored jobs, and the rows as 4.11 gives them.

The rows are values in dlq (`dlq.cron.rows.row.CronRow`); these dicts are copies, for code that
reads them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from dlq import runtime
from dlq.decorator import contribute_implied_queue_name
from dlq.planning.split import SCHEDULER_NAME as CRON_QUEUE_NAME
from dlq.scheduler.execute import execute

__all__ = ("CRON_QUEUE_NAME", "ensure_queue_workers_for_config", "execute", "get_cron_config")


def get_cron_config() -> Sequence[dict[str, Any]]:
    """The valid rows of all cron.py files, with functions that match the fields of a time."""
    from cronsim import CronSim

    from dlq.cron.rows.schedule import SAMPLE_START

    config = []
    for row in runtime.current().cron_rows():
        times = CronSim(row.expression, SAMPLE_START)
        minutes, hours, _, _, days = row.expression.split()
        weekdays = {day % 7 if isinstance(day, int) else day for day in times.weekdays}
        config.append(
            {
                "command": row.command,
                "minutes": minutes,
                "hours": hours,
                "days": days,
                "schedule": row.expression,
                "min_matcher": _matcher(times.minutes),
                "hour_matcher": _matcher(times.hours),
                "day_matcher": _weekday_matcher(weekdays),
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


def _matcher(accepted: set[int]) -> Callable[[int], bool]:
    return lambda value: value in accepted


def _weekday_matcher(accepted: set[Any]) -> Callable[[int], bool]:
    """Days count from 1, Monday, to 7."""
    return lambda day: day % 7 in accepted
