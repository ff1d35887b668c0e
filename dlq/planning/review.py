"""Findings about a split: idle machines, queues without workers, ports that collide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from dlq.config.resolution import Resolution, ResolvedValue
from dlq.cron.files.configuration import check_queues, implied_queues
from dlq.diagnostics.finding import Finding
from dlq.diagnostics.rules import plan as rules
from dlq.planning.implied_queues import (
    OUR_TASK,
    implied_by_tasks,
    implied_text,
    is_ours,
    is_overridden,
    source_of,
)
from dlq.planning.split import SCHEDULER_NAME, Split
from dlq.primitives.import_path import import_path
from dlq.primitives.text import counted
from dlq.project.load import Project
from dlq.types import QueueName, Source

if TYPE_CHECKING:
    from dlq.config.settings import Settings
    from dlq.cron.rows.row import CronRow

WITHOUT_WORK = ("dlq.backends.synchronous", "dlq.backends.debug_web")
"""Their backends run or show a job where it is enqueued. A plan needs no more of them than that."""


def review_plan(
    project: Project,
    resolution: Resolution,
    settings: Settings,
    dealt: Split,
    rows: tuple[CronRow, ...],
) -> Iterable[Finding]:
    pool = dealt.pool
    yield from _only_queue_finding(dealt, rows)
    yield from _idle_machines(dealt, resolution)
    if not pool.exact:
        served = {queue.name for queue in dealt.queues if queue.workers}
        dropped = _dropped_queues(project, resolution, served)
        yield from _dropped_finding(resolution, dropped)
        yield from check_queues(rows, served)
        if pool.only_queue is None:
            yield from _unserved_tasks(project, served | set(dropped))
    elif not is_overridden(resolution):
        yield _workers_of_no_file(resolution)
    yield from _misspelt_queues(project, resolution, settings)
    yield from _backends_without_work(dealt, settings, resolution)
    yield from _retries_without_support(project, dealt)
    yield from _workers_of_one_machine(dealt, resolution)
    yield from _unknown_overrides(project, resolution, dealt)


def _workers_of_no_file(resolution: Resolution) -> Finding:
    source = resolution.source_of("WORKERS")
    return rules.I309.finding(
        f"{' and '.join(resolution.override_files)} has no WORKERS, so the workers are those of"
        f" {source.label} and of the queues that tasks imply",
        source,
        "LIGHTWEIGHT_QUEUE_WORKERS in the file says which workers this machine runs",
    )


def _misspelt_queues(
    project: Project, resolution: Resolution, settings: Settings
) -> Iterable[Finding]:
    named = implied_queues(project.cron.rows) | implied_by_tasks(project.declarations)
    for implied, source in named.items():
        listed = [name for name in sorted(settings.workers) if is_one_edit(implied, name)]
        if implied not in settings.workers and listed and listed[0] in named:
            whose = f" of {source.name}" if source.name else ""
            yield rules.W310.finding(
                f"queue {implied!r}{whose} is not in WORKERS",
                source,
                f"did you mean {listed[0]!r}? If not, add {implied!r} to LIGHTWEIGHT_QUEUE_WORKERS",
            )
    for queue in settings.workers:
        if queue in named:
            continue
        meant = [name for name in sorted(named) if is_one_edit(queue, name)]
        if meant and meant[0] not in settings.workers:
            yield rules.W310.finding(
                f"no task and no cron row names queue {queue!r}, which has"
                f" {counted(settings.workers[queue], 'worker')}",
                resolution.source_of("WORKERS", queue),
                f"did you mean {meant[0]!r}?",
            )


def is_one_edit(one: str, other: str) -> bool:
    """Whether a letter too many, one missing, another one or two exchanged make the difference.
    Digits don't count: `emails1` and `emails2` are both meant."""
    start = _same_letters(one, other)
    end = _same_letters(one[start:][::-1], other[start:][::-1])
    left, right = one[start : len(one) - end], other[start : len(other) - end]
    if any(character.isdigit() for character in left + right):
        return False
    return {len(left), len(right)} <= {0, 1} or (len(left) == 2 and left == right[::-1])


def _same_letters(one: str, other: str) -> int:
    """How many letters two texts have in common at their beginning."""
    return next(
        (n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )


def _only_queue_finding(dealt: Split, rows: tuple[CronRow, ...]) -> Iterable[Finding]:
    wanted = dealt.pool.only_queue
    if wanted is None or wanted == SCHEDULER_NAME:
        return
    source = Source("option", name="--only-queue")
    names = [queue.name for queue in dealt.queues]
    if wanted not in names:
        close = get_close_matches(wanted, names, 1)
        help = f"did you mean {close[0]!r}?" if close else f"the queues are {', '.join(names)}"
        yield rules.E305.finding(f"no queue is called {wanted!r}", source, help)
    elif rows and dealt.pool.machine in (None, 1):
        yield rules.I304.finding(
            f"--only-queue {wanted} leaves the cron scheduler out: its"
            f" {counted(len(rows), 'entry is', 'entries are')} not scheduled",
            source,
            f"--only-queue {SCHEDULER_NAME} runs the scheduler alone",
        )


def _idle_machines(dealt: Split, resolution: Resolution) -> Iterable[Finding]:
    pool = dealt.pool
    if pool.only_queue == SCHEDULER_NAME or (
        pool.only_queue is not None and pool.only_queue not in {q.name for q in dealt.queues}
    ):
        return
    count = sum(q.workers for q in dealt.queues if pool.only_queue in (None, q.name))
    if count == 0:
        yield rules.W308.finding(
            "no queue has a worker, so no job is run",
            source_of(dealt.queues[0], resolution) if dealt.queues else None,
            "give a queue workers: LIGHTWEIGHT_QUEUE_WORKERS = {'default': 1}",
        )
        return
    if pool.exact:
        return
    busy = {worker.machine for worker in dealt.workers}
    looked_at = range(1, pool.of + 1) if pool.machine is None else (pool.machine,)
    idle = [machine for machine in looked_at if machine not in busy]
    if idle:
        workers = counted(count, "worker is", "workers are")
        one = len(idle) == 1
        yield rules.W301.finding(
            f"machine{'' if one else 's'} {ranges(idle)} of {pool.of}"
            f" {'has' if one else 'have'} no queue workers",
            None,
            f"{workers} dealt out from machine 2 upwards; with more machines than workers,"
            " machine 1 is the first to go without",
        )


def _dropped_queues(
    project: Project, resolution: Resolution, served: set[QueueName]
) -> dict[QueueName, str]:
    """The queues that would have workers without the override, and why."""
    if not is_overridden(resolution):
        return {}
    dropped: dict[QueueName, str] = {}
    below = _below_the_override(resolution.values["WORKERS"])
    for name, count in below.items():
        if isinstance(name, str) and isinstance(count, int) and count > 0:
            dropped[QueueName(name)] = counted(count, "worker")
    for queue, source in implied_by_tasks(project.declarations).items():
        if source != OUR_TASK:
            dropped.setdefault(queue, implied_text(source))
        elif project.cron.rows:
            dropped.setdefault(queue, "implied by the cron task")
    named = resolution.settings.workers if resolution.settings is not None else {}
    return {name: why for name, why in dropped.items() if name not in served and name not in named}


def _below_the_override(workers: ResolvedValue) -> Mapping[Any, Any]:
    for hidden in workers.hides:
        if hidden.source.kind not in {"file", "environment"}:
            return hidden.value if isinstance(hidden.value, Mapping) else {}
    return {}


def _dropped_finding(resolution: Resolution, dropped: dict[QueueName, str]) -> Iterable[Finding]:
    if not dropped:
        return
    source = resolution.source_of("WORKERS")
    listed = ", ".join(f"{name} ({why})" for name, why in sorted(dropped.items()))
    one = len(dropped) == 1
    yield rules.W303.finding(
        f"WORKERS in {source.label} drops"
        f" {'a queue' if one else f'{len(dropped)} queues'}: {listed}",
        source,
        f"name {'it' if one else 'them'} there too, if {'its' if one else 'their'} jobs should run",
    )


def _unserved_tasks(project: Project, reported: set[QueueName]) -> Iterable[Finding]:
    seen: set[QueueName] = set()
    for declaration in project.declarations:
        queue = declaration.queue
        if queue in reported or queue in seen or declaration.task is None or is_ours(declaration):
            continue
        seen.add(queue)
        yield rules.W302.finding(
            f"no worker takes from queue {queue!r}, where {declaration.task} is enqueued",
            declaration.source,
            f"give {queue!r} a worker in LIGHTWEIGHT_QUEUE_WORKERS",
        )


def _backends_without_work(
    dealt: Split, settings: Settings, resolution: Resolution
) -> Iterable[Finding]:
    queues: dict[str, list[str]] = {}
    for queue in dealt.queues:
        if queue.workers and dealt.pool.only_queue in (None, queue.name):
            queues.setdefault(queue.backend, []).append(queue.name)
    for path, names in queues.items():
        try:
            backend = import_path(path)
        except (ImportError, AttributeError, ValueError):
            continue  # a finding of the settings already
        if not (isinstance(backend, type) and _never_has_work(backend)):
            continue
        source = (
            resolution.source_of("BACKEND")
            if path == settings.backend
            else resolution.source_of("BACKEND_OVERRIDES", names[0])
        )
        yield rules.W306.finding(
            f"the workers of {', '.join(names)} will never have work:"
            f" {backend.__name__} runs or shows jobs where they are enqueued",
            source,
            "for a queue with workers use"
            " BACKEND = 'dlq.backends.reliable_redis.ReliableRedisBackend'",
        )


def _never_has_work(backend: type) -> bool:
    return any(base.__module__ in WITHOUT_WORK for base in backend.__mro__)


def _retries_without_support(project: Project, dealt: Split) -> Iterable[Finding]:
    backends = {queue.name: queue.backend for queue in dealt.queues if queue.workers}
    for declaration in project.declarations:
        path = backends.get(declaration.queue)
        if not declaration.retries or path is None:
            continue
        try:
            backend = import_path(path)
        except (ImportError, AttributeError, ValueError):
            continue  # a finding of the settings already
        if _never_has_work(backend) or getattr(backend, "keeps_retries", False):
            continue
        yield rules.E307.finding(
            f"{declaration.task} has retries={declaration.retries}, which"
            f" {backend.__name__} of queue {declaration.queue!r} cannot keep",
            declaration.source,
            f"BACKEND_OVERRIDES = {{{declaration.queue!r}:"
            " 'dlq.backends.reliable_redis.ReliableRedisBackend'}, or leave out retries",
        )


def _workers_of_one_machine(dealt: Split, resolution: Resolution) -> Iterable[Finding]:
    """What the workers of one machine share: ports for metrics, SQLite files."""
    from dlq.project.check_databases import check_databases
    from dlq.project.check_queues import check_metrics_ports

    workers_per_machine = [
        sum(1 for worker in dealt.workers if worker.machine == machine)
        for machine in range(1, dealt.pool.of + 1)
    ]
    most = max(workers_per_machine, default=0)
    yield from check_metrics_ports(resolution, most)
    yield from check_databases(most)


def _unknown_overrides(project: Project, resolution: Resolution, dealt: Split) -> Iterable[Finding]:
    from dlq.project.check_queues import check_overrides

    known = {queue.name for queue in dealt.queues}
    known |= {declaration.queue for declaration in project.declarations}
    known |= set(implied_queues(project.cron.rows))
    return check_overrides(resolution, known)


def ranges(numbers: Iterable[int]) -> str:
    """Numbers as text, with runs of them as ranges: `1-3, 5`."""
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and parts[-1][-1] == number - 1:
            parts[-1] = [parts[-1][0], number]
        else:
            parts.append([number])
    return ", ".join("-".join(str(number) for number in part) for part in parts)
