"""Findings about several rows together: pure, rows in and findings out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from dlq.cron.rows.row import CronRow
from dlq.cron.rows.schedule import Gaps, steps_too_wide
from dlq.diagnostics.finding import Finding
from dlq.diagnostics.rules import cron as rules


def review(rows: Iterable[CronRow]) -> list[Finding]:
    """Rows that are there twice, that never fire, that fire before they can have ended."""
    rows = tuple(rows)
    found = list(_duplicates(rows))
    gaps = Gaps()
    for row in rows:
        found += _wide_steps(row)
        if gaps.between_days(row.expression) is None:
            found.append(
                rules.W214.finding(
                    f"{row.command} never fires: no day matches {row.expression!r}",
                    row.source,
                    f'dlq cron explain "{row.expression}"',
                )
            )
        else:
            found += _crowding(row, gaps.shortest(row.expression))
    return found


def _duplicates(rows: tuple[CronRow, ...]) -> Iterator[Finding]:
    first: dict[str, CronRow] = {}
    for row in rows:
        earlier = first.setdefault(row.identity, row)
        if earlier is not row:
            yield rules.W213.finding(
                f"{row.command} at {row.expression!r} is there twice, first at"
                f" {_location_text(earlier)}: it is enqueued once",
                row.source,
                "remove one of the two",
            )


def _wide_steps(row: CronRow) -> Iterator[Finding]:
    for term in steps_too_wide(row.expression):
        yield rules.W219.finding(
            f"{row.command}: the step of {term!r} is above its range, so it fires once in each",
            row.source,
            f'dlq cron explain "{row.expression}"',
        )


def _crowding(row: CronRow, gap: timedelta | None) -> Iterator[Finding]:
    if row.timeout is None or gap is None or row.timeout <= gap.total_seconds():
        return
    yield rules.W215.finding(
        f"{row.command} may run for {row.timeout:g} s (its timeout), and fires again after"
        f" {gap.total_seconds():g} s",
        row.source,
        f"lower the timeout to {gap.total_seconds():g}, or let it fire less often",
    )


def _location_text(row: CronRow) -> str:
    if row.source.line is not None:
        return row.source.label
    return f"{row.app}.cron CONFIG[{row.index}]"
