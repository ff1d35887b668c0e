"""A simulation of cron rows on the screen: a chart of runs per hour, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from dlq.cli.output.screen import Screen
from dlq.cli.output.text import span
from dlq.planning.cron_simulation import ChangeReport, QueueLoad, Simulation
from dlq.primitives.text import counted, printable

BARS = " ▁▂▃▄▅▆▇█"
ASCII_BARS = " .:-=+*%#"
"""For a terminal that cannot show the others."""

DAYS = 14
"""Days of each queue that the chart has; JSON has all."""

SHOWN = 10
"""Pile-ups and overlaps that are listed."""

EFFECTS = {
    "moves": "fires once, when the clocks have changed",
    "skips": "does not fire in the hour that is left out",
    "once": "fires the first time only",
    "twice": "fires in both passes",
}


def print_simulation(screen: Screen, simulation: Simulation, timezone: str) -> None:
    zone = ZoneInfo(timezone)
    length = span((simulation.end - simulation.start).total_seconds())
    screen.print(
        f"{counted(simulation.rows, 'row')}, {counted(simulation.runs, 'run')} in {length} from"
        f" {simulation.start.astimezone(zone):%a %d %b %Y %H:%M} ({timezone})"
    )
    bars = BARS if "utf" in (screen.out.encoding or "").lower() else ASCII_BARS
    for load in simulation.loads:
        screen.print()
        most = max(load.hours)
        screen.segments(
            [[(printable(load.queue), "bold"), (f": {_load_text(load, most, bars)}", "")]]
        )
        for line in _chart(load, simulation.start, zone, bars, most):
            screen.print(line)
    for title, lines in (
        ("Pile-ups", list(_pile_ups(simulation, zone))),
        ("Rows that overlap themselves", list(_overlaps(simulation))),
        ("Clock changes", [line for c in simulation.changes for line in _change(c)]),
    ):
        if lines:
            screen.print()
            screen.segments([[(title, "bold")]])
            for line in lines:
                screen.print(f"  {line}")


def _load_text(load: QueueLoad, most: int, bars: str) -> str:
    workers = counted(load.workers, "worker") if load.workers else "no worker"
    return f"{workers}, {counted(load.runs, 'run')}; {bars[-1]} is {counted(most, 'run')} an hour"


def _chart(load: QueueLoad, start: datetime, zone: ZoneInfo, bars: str, most: int) -> Iterator[str]:
    """Yield a line for each day, with a character for each hour of the wall clock."""
    moments = [
        ((start + timedelta(hours=index)).astimezone(zone), runs)
        for index, runs in enumerate(load.hours)
    ]
    yield f"{'':12}0     6     12    18"
    days = [(day, list(hours)) for day, hours in groupby(moments, key=lambda at: at[0].date())]
    for day, hours in days[:DAYS]:
        blanks = " " * hours[0][0].hour
        line = "".join(_bar(runs, most, bars) for _, runs in hours)
        yield f"{day:%a %d %b}  {blanks}{line}".rstrip()
    if len(days) > DAYS:
        yield f"and {counted(len(days) - DAYS, 'day')} more (--format json has them all)"


def _bar(runs: int, most: int, bars: str) -> str:
    """Return the bar of an hour; the least number of runs shows."""
    return bars[0] if runs == 0 else bars[max(1, runs * (len(bars) - 1) // most)]


def _pile_ups(simulation: Simulation, zone: ZoneInfo) -> Iterator[str]:
    for queue, minutes in sorted(simulation.piled.items()):
        yield f"{printable(queue)}: more rows due than workers in {counted(minutes, 'minute')}"
    for pile in simulation.pile_ups[:SHOWN]:
        names = ", ".join(dict.fromkeys(row.command for row in pile.rows))
        workers = counted(pile.workers, "worker")
        yield (
            f"{pile.at.astimezone(zone):%a %d %b %H:%M}  {printable(pile.queue)}:"
            f" {counted(pile.due, 'row')} for {workers} ({printable(names, 100)})"
        )


def _overlaps(simulation: Simulation) -> Iterator[str]:
    for row, seconds, basis, runs, of in simulation.overlaps[:SHOWN]:
        how = "took" if basis == "recorded" else "may take"
        yield (
            f"{printable(row.command)} ({row.expression}) {how} {span(seconds)}: {runs:,} of"
            f" {counted(of, 'run')} start while the one before may go on"
        )
    if len(simulation.overlaps) > SHOWN:
        yield f"and {len(simulation.overlaps) - SHOWN:,} more (--format json has them all)"


def _change(report: ChangeReport) -> Iterator[str]:
    change = report.change
    zone = ZoneInfo(change.timezone)
    minutes = abs(change.length // timedelta(minutes=1))
    what = "left out" if change.length > timedelta() else "repeated"
    yield (
        f"{change.at.astimezone(zone):%a %d %b %H:%M} in {change.timezone}: {minutes} minutes of"
        f" the wall clock are {what}"
    )
    if not report.rows:
        yield "  no row has a time in them"
    for touched in report.rows[:SHOWN]:
        row = touched.row
        yield f"  {printable(row.command)} ({row.expression}) {EFFECTS[touched.effect]}"
    more = len(report.rows) - SHOWN + report.others
    if more > 0:
        yield f"  and {more:,} more"
