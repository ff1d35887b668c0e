"""A comparison of two plans for people, machines and pull requests."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from dlq.planning.comparison import CronEntry, Difference, PoolPlan
from dlq.planning.placement import Worker
from dlq.planning.rolling_change import hazards, safe_order
from dlq.primitives.text import printable

ROWS = 50
"""Rows of a part that text and Markdown show; JSON has them all."""


def comparison_json(difference: Difference) -> dict[str, Any]:
    """The difference as machines read it. Within a format version, keys are only added."""
    old, new = difference.old, difference.new

    def worker_json(worker: Worker, machine: int, plan: PoolPlan) -> dict[str, Any]:
        return {"queue": worker[0], "number": worker[1], "machine": _machine(machine, plan)}

    return {
        "format_version": "1",
        "same": difference.is_empty,
        "pool": {"old": _pool_json(old), "new": _pool_json(new)},
        "added": [worker_json(worker, machine, new) for worker, machine in difference.added],
        "removed": [worker_json(worker, machine, old) for worker, machine in difference.removed],
        "moved": [
            {
                "queue": move.worker[0],
                "number": move.worker[1],
                "from": _machine(move.old, old),
                "to": _machine(move.new, new),
            }
            for move in difference.moved
        ],
        "settings": [
            {
                "name": change.name,
                "old": None if change.old is None else change.old.value,
                "new": None if change.new is None else change.new.value,
                "old_source": None if change.old is None else change.old.source,
                "new_source": None if change.new is None else change.new.source,
            }
            for change in difference.settings
        ],
        "cron": {
            "added": [entry._asdict() for entry in difference.cron_added],
            "removed": [entry._asdict() for entry in difference.cron_removed],
            "changed": [
                {"old": change.old._asdict(), "new": change.new._asdict()}
                for change in difference.cron_changed
            ],
        },
        "hazards": [
            {**hazard._asdict(), "machines": list(hazard.machines)}
            for hazard in hazards(difference)
        ],
        "order": _as_list(safe_order(difference)),
    }


def _as_list(order: Sequence[int] | None) -> list[int] | None:
    return None if order is None else list(order)


def _pool_json(plan: PoolPlan) -> dict[str, Any]:
    return {
        "id": plan.pool_id,
        "of": None if plan.exact else plan.of,
        "exact": plan.exact,
        "placement": plan.placement,
    }


def _machine(machine: int, plan: PoolPlan) -> int | None:
    return None if plan.exact else machine


def sections(difference: Difference) -> Iterator[tuple[str, list[str], list[list[str]]]]:
    """Yield the parts that have something to show: a title, column names and rows of text."""
    old, new = difference.old, difference.new
    workers = [
        (worker, "added", "", _machine_text(machine, new)) for worker, machine in difference.added
    ]
    workers += [
        (worker, "removed", _machine_text(machine, old), "")
        for worker, machine in difference.removed
    ]
    workers += [
        (move.worker, "moved", _machine_text(move.old, old), _machine_text(move.new, new))
        for move in difference.moved
    ]
    if workers:
        rows = [
            [f"{q}/{n}", what, before, after] for (q, n), what, before, after in sorted(workers)
        ]
        yield "Workers", ["WORKER", "CHANGE", "FROM", "TO"], rows
    if difference.settings:
        rows = [
            [
                change.name,
                "" if change.old is None else _value_text(change.old.value),
                "" if change.new is None else _value_text(change.new.value),
                "" if change.old is None else change.old.source,
                "" if change.new is None else change.new.source,
            ]
            for change in difference.settings
        ]
        yield "Settings", ["SETTING", "OLD", "NEW", "OLD SOURCE", "NEW SOURCE"], rows
    cron = [["added", *_cron_texts(entry)] for entry in difference.cron_added]
    cron += [["removed", *_cron_texts(entry)] for entry in difference.cron_removed]
    for change in difference.cron_changed:
        before, after = _cron_texts(change.old), _cron_texts(change.new)
        pairs = zip(before, after, strict=True)
        cron.append(["changed", *(a if a == b else f"{a} -> {b}" for a, b in pairs)])
    if cron:
        yield "Cron rows", ["CHANGE", "COMMAND", "SCHEDULE", "QUEUE", "SOURCE"], cron


def title(difference: Difference) -> str:
    """Return what the two plans are: `pool 1a2b3c4d of 3 -> pool 5e6f7a8b of 4`."""
    old, new = difference.old, difference.new
    if difference.is_empty:
        return f"Same plan: {_pool_text(old)}"
    return f"{_pool_text(old)} -> {_pool_text(new)}"


def summary(difference: Difference) -> str:
    """Return the number of workers in each change, and how many keep their machine."""
    kept = len(difference.new.machines) - len(difference.added) - len(difference.moved)
    return (
        f"{len(difference.added)} workers added, {len(difference.removed)} removed,"
        f" {len(difference.moved)} moved, {kept} unchanged."
    )


def hazard_lines(difference: Difference) -> Iterator[str]:
    """Yield what can go wrong while machines change one by one, and an order that avoids most."""
    found = hazards(difference)
    yield from (hazard.text for hazard in _first(found))
    if len(found) > ROWS:
        yield f"and {len(found) - ROWS} more (--format json has them all)"
    if not difference.moved:
        return
    order = safe_order(difference)
    if order is None:
        yield "no order avoids the waiting: workers move in a circle"
    else:
        machines = ", ".join(map(str, order))
        yield f"change the machines in the order {machines}: no worker waits for another"


def markdown(difference: Difference) -> str:
    """Return the comparison as a comment on a pull request."""
    lines = ["### dlq plan", "", _cell(title(difference)), ""]
    if not difference.is_empty:
        lines += [summary(difference), ""]
    for name, columns, rows in sections(difference):
        lines += [f"**{name}**", "", _row(columns), _row(["---"] * len(columns))]
        lines += [_row(row) for row in _first(rows)]
        if len(rows) > ROWS:
            lines += ["", f"and {len(rows) - ROWS} more"]
        lines.append("")
    if texts := list(hazard_lines(difference)):
        lines += ["**While machines change one by one**", ""]
        lines += [f"* {_cell(text)}" for text in texts]
        lines.append("")
    return "\n".join(lines)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _cell(text: str) -> str:
    """Escape what Markdown or HTML would read as markup."""
    safe = "".join(f"\\{c}" if c in "\\`*_{}[]()#!|~" else c for c in printable(text, 300))
    return safe.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _first(items: Sequence[Any]) -> Sequence[Any]:
    return items[:ROWS]


def _pool_text(plan: PoolPlan) -> str:
    if plan.exact:
        return f"exact configuration {plan.pool_id}"
    stable = ", stable" if plan.placement == "stable" else ""
    return f"pool {plan.pool_id} of {plan.of} machine{'' if plan.of == 1 else 's'}{stable}"


def _machine_text(machine: int, plan: PoolPlan) -> str:
    return "exact" if plan.exact else f"machine {machine}"


def _value_text(value: object) -> str:
    return printable(json.dumps(value, ensure_ascii=False), 60)


def _cron_texts(entry: CronEntry) -> list[str]:
    zone = f" {entry.timezone}" if entry.timezone else ""
    return [
        f"{entry.command} {entry.args}".rstrip(),
        f"{entry.schedule}{zone}",
        entry.queue,
        entry.source,
    ]
