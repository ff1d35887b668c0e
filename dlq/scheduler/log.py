"""The log of the scheduler: a line that a person can act on, and a word for machines.

Arguments of commands are not in it: they may be secret.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from dlq.cron.rows.row import CronRow
from dlq.errors import BackendUnavailable
from dlq.types import Logger

LOG_EVERY = 10.0
"""Seconds between two lines about one thing that stays wrong."""

ON_TIME = 60.0
"""Seconds. A run that is enqueued in its own minute is not late."""


@dataclass(slots=True)
class Pending:
    """A run that is to be enqueued. `too_late` is when it is given up."""

    row: CronRow
    at: datetime
    too_late: datetime
    failures: int = 0
    logged: float = 0.0


@dataclass(slots=True)
class Unavailability:
    """Since when a server has been unavailable, on the monotonic clock, and when that was last
    logged."""

    since: float | None = None
    logged: float = 0.0


class SchedulerLog:
    def __init__(self, logger: Logger, catch_up: float) -> None:
        self._logger = logger
        self._catch_up = catch_up

    def enqueued(self, run: Pending, now: datetime, is_new: bool) -> None:
        late = (now - run.at).total_seconds()
        extra = {"action": "cron_enqueued", "command": run.row.command, "queue": run.row.queue}
        if not is_new:
            self._logger.debug(
                "%s: the run of %s is enqueued already",
                run.row.command,
                minute_text(run.at),
                extra={**extra, "action": "cron_known"},
            )
        elif late < ON_TIME:
            self._logger.info("enqueued %s on %s", run.row.command, run.row.queue, extra=extra)
        else:
            self._logger.warning(
                "enqueued %s on %s for %s, %d s late",
                run.row.command,
                run.row.queue,
                minute_text(run.at),
                late,
                extra=extra,
            )

    def folded(self, latest: Pending, count: int) -> None:
        self._logger.warning(
            "%s: %d missed %s; the run of %s stands for %s",
            latest.row.command,
            count,
            "run" if count == 1 else "runs",
            minute_text(latest.at),
            "it" if count == 1 else "them",
            extra={"action": "cron_folded", "command": latest.row.command},
        )

    def clock_back(self, by: timedelta) -> None:
        self._logger.warning(
            "the clock went back by %d s: runs that were enqueued are not enqueued again",
            by.total_seconds(),
            extra={"action": "cron_clock_back"},
        )

    def skipped(self, row: CronRow, at: datetime, why: str) -> None:
        self._logger.error(
            "%s: its run of %s is skipped: %s, and it is later than CRON_CATCH_UP (%g s) allows",
            row.command,
            minute_text(at),
            why,
            self._catch_up,
            extra={"action": "cron_skipped", "command": row.command, "queue": row.queue},
        )

    def failed(self, run: Pending, error: Exception) -> None:
        run.failures += 1
        clock = time.monotonic()
        if run.failures > 1 and clock - run.logged < LOG_EVERY:
            return
        run.logged = clock
        self._logger.error(
            "%s: its run of %s could not be enqueued, trying again until %s: %s: %s",
            run.row.command,
            minute_text(run.at),
            minute_text(run.too_late),
            type(error).__name__,
            error,
            extra={"action": "cron_failed", "command": run.row.command, "queue": run.row.queue},
        )

    def unavailable(self, unavailability: Unavailability, error: Exception) -> None:
        """Log that a server is unavailable. A defect of the backend adds its traceback."""
        clock = time.monotonic()
        if unavailability.since is None:
            unavailability.since = clock
        elif clock - unavailability.logged < LOG_EVERY:
            return
        unavailability.logged = clock
        self._logger.warning(
            "cron scheduler: %s; trying again",
            error,
            exc_info=None if isinstance(error, BackendUnavailable) else error,
            extra={"action": "server_away"},
        )

    def available(self, unavailability: Unavailability) -> None:
        if unavailability.since is not None:
            self._logger.warning(
                "cron scheduler resumed after %.1f s",
                time.monotonic() - unavailability.since,
                extra={"action": "resumed"},
            )
            unavailability.since = None


def minute_text(at: datetime) -> str:
    return f"{at:%a %d %b %H:%M} UTC"
