"""The plan as people read it: tables as values, and sentences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from dlq.cli.output.findings import count_text, findings_lines
from dlq.cli.output.plan_lines import entries, title
from dlq.cli.output.screen import Column, Screen
from dlq.cli.output.text import moment
from dlq.config.settings import Settings
from dlq.planning.document import count_from
from dlq.planning.implied_queues import implied_by_tasks
from dlq.planning.plan import Plan, next_run
from dlq.planning.review import ranges
from dlq.planning.split import QueuePlan, Split
from dlq.project.load import Project

Table = tuple[Sequence[Column], list[list[str]]]


def print_plan(screen: Screen, plan: Plan, project: Project, now: datetime) -> None:
    """Print the plan with its findings."""
    split, resolution = plan.split, plan.resolution
    if split is not None and resolution is not None and resolution.settings is not None:
        screen.segments([[(title(plan), "bold")], []])
        if plan.pool.machine is None:
            screen.table(*matrix(plan, split))
        else:
            if split.workers:
                screen.table(*machine_table(plan, split))
                screen.print()
            for line in summary(plan, split):
                screen.print(line)
            others = [*implied_by_tasks(project.declarations), *_hidden_queues(project)]
            others += [row.queue for row in project.cron.rows]
            missing = not_here(plan, split, others)
            if missing is not None:
                screen.print(missing)
        if plan.runs_cron:
            screen.print()
            screen.table(*cron_table(plan, resolution.settings, now))
        if plan.findings:
            screen.print()
    if plan.findings:
        screen.segments(findings_lines(plan.findings))
    count = count_text(plan.findings)
    if not plan.is_valid:
        screen.print(f"Not valid: {count}.")
    elif plan.findings:
        screen.print(f"Valid, with {count}.")


def _hidden_queues(project: Project) -> list[str]:
    """The queues of the WORKERS that an override file hides."""
    if project.resolution is None:
        return []
    hidden = project.resolution.values["WORKERS"].hides
    return [
        name
        for value in hidden
        if isinstance(value.value, Mapping)
        for name in value.value
        if isinstance(name, str)
    ]


def machine_table(plan: Plan, split: Split) -> Table:
    """One machine: the queues that have workers here."""
    numbers: dict[str, list[int]] = defaultdict(list)
    for worker in split.workers:
        numbers[worker.queue].append(worker.number)
    here = [queue for queue in split.queues if numbers[queue.name]]
    if plan.pool.exact:
        columns = [
            Column("QUEUE"),
            Column("HERE"),
            Column("BACKEND", gives=2),
            Column("COUNT FROM"),
        ]
        rows = [
            [q.name, str(len(numbers[q.name])), _class_name(q), count_from(q, plan)] for q in here
        ]
        return columns, rows
    columns = [
        Column("QUEUE"),
        Column("HERE"),
        Column("POOL"),
        Column("WORKER NUMBERS", gives=3),
        Column("BACKEND", gives=2),
        Column("COUNT FROM", gives=1),
    ]
    rows = [
        [
            queue.name,
            str(len(numbers[queue.name])),
            str(queue.workers),
            ranges(numbers[queue.name]),
            _class_name(queue),
            count_from(queue, plan),
        ]
        for queue in here
    ]
    return columns, rows


def matrix(plan: Plan, split: Split) -> Table:
    """All machines: how many workers of each queue each has."""
    counts: dict[tuple[str, int], int] = defaultdict(int)
    for worker in split.workers:
        counts[worker.queue, worker.machine] += 1
    machines = range(1, split.pool.of + 1)
    columns = [
        Column("QUEUE"),
        Column("POOL"),
        *(Column(f"M{machine}") for machine in machines),
        Column("BACKEND", gives=2),
        Column("COUNT FROM", gives=1),
    ]
    shown = [q for q in split.queues if plan.pool.only_queue in (None, q.name)]
    rows = [
        [
            queue.name,
            str(queue.workers),
            *(str(counts[queue.name, machine] or ".") for machine in machines),
            _class_name(queue),
            count_from(queue, plan),
        ]
        for queue in shown
    ]
    totals = [
        str(sum(counts[queue.name, machine] for queue in shown) or ".") for machine in machines
    ]
    rows.append(["total", str(sum(queue.workers for queue in shown)), *totals, "", ""])
    if plan.rows:
        runs = ["yes" if machine in plan.schedulers else "." for machine in machines]
        who = {0: "left out by --only-queue", 1: "always machine 1"}.get(
            len(plan.schedulers), "CRON_MACHINES is 'all'"
        )
        if split.pool.of == 1 and plan.schedulers:
            who = "always machine 1"
        rows.append(["cron scheduler", str(len(plan.schedulers)), *runs, "", who])
    return columns, rows


def summary(plan: Plan, split: Split) -> list[str]:
    """The sentences under the table of one machine."""
    if plan.pool.exact:
        lines = ["No cron scheduler and no cron queues (exact configuration)."]
    else:
        total = sum(
            queue.workers for queue in split.queues if plan.pool.only_queue in (None, queue.name)
        )
        here = len(split.workers)
        cron = f", and the cron scheduler ({entries(len(plan.rows))})" if plan.runs_cron else ""
        workers = "worker runs" if total == 1 else "workers run"
        lines = [f"{here} of {total} {workers} here{cron}."]
        if plan.schedulers and not plan.runs_cron:
            lines.append(
                f"Cron: machine {ranges(plan.schedulers)} schedules {entries(len(plan.rows))}."
            )
    return lines


def not_here(plan: Plan, split: Split, others: Iterable[str]) -> str | None:
    """The queues that have workers, but none on this machine. `others`: what the project's tasks
    and rows name and an exact configuration doesn't."""
    here = {worker.queue for worker in split.workers}
    if plan.pool.exact:
        missing = sorted({*others} - here)
        return f"Not run here: {', '.join(missing)}" if missing else None
    missing = [q.name for q in split.queues if q.workers and q.name not in here]
    if not missing:
        return None
    if plan.pool.only_queue is not None:
        return f"Not here: {', '.join(missing)}"
    machines = [n for n in range(1, plan.pool.of + 1) if n != plan.pool.machine]
    if not machines:
        return f"Not here: {', '.join(missing)}"
    word = "machine" if len(machines) == 1 else "machines"
    return f"Not here: {', '.join(missing)} ({word} {_listed(machines)})"


def cron_table(plan: Plan, settings: Settings, now: datetime) -> Table:
    columns = [
        Column("CRON"),
        Column("QUEUE"),
        Column("SCHEDULE", gives=1),
        Column("NEXT RUN", gives=2),
        Column("FROM", gives=3),
    ]
    rows = []
    for row in plan.rows:
        zone = row.timezone or settings.cron_timezone
        at = next_run(row, settings, now)
        when = "never" if at is None else moment(at, zone, now)
        schedule = row.expression if zone == "UTC" else f"{row.expression} ({zone})"
        rows.append([row.command, row.queue, schedule, when, row.source.label])
    return columns, rows


def configuration_tables(
    plan: Plan, settings: Settings, now: datetime
) -> list[tuple[str, Sequence[Column], list[list[str]]]]:
    """The queues of the whole pool, the middleware, and the cron rows; each with a title."""
    queues = [
        [q.name, str(q.workers), q.backend, count_from(q, plan)]
        for q in (plan.split.queues if plan.split is not None else ())
    ]
    columns = [
        Column("QUEUE"),
        Column("WORKERS"),
        Column("BACKEND", gives=2),
        Column("COUNT FROM", gives=1),
    ]
    tables: list[tuple[str, Sequence[Column], list[list[str]]]] = [("Queues", columns, queues)]
    middleware = [[path] for path in settings.middleware]
    tables.append(("Middleware", [Column("CLASS")], middleware))
    if plan.rows:
        tables.append(("Cron", *cron_table(plan, settings, now)))
    return tables


def _listed(machines: Sequence[int]) -> str:
    if len(machines) > 4:
        return ranges(machines)
    return ", ".join(str(machine) for machine in machines)


def _class_name(queue: QueuePlan) -> str:
    return queue.backend.rpartition(".")[2]
