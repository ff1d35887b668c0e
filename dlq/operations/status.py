"""What runs and what waits, as the servers show it now, and what is wrong with that.

The servers are asked; what comes back is a value, and what is to be said about it is a function of
that value and the plan.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from dlq import runtime
from dlq.backends.base import (
    BackendWithFailedJobs,
    BackendWithRunners,
    BaseBackend,
    QueueState,
    RunnerState,
    ServerState,
)
from dlq.backends.eviction import eviction_findings
from dlq.backends.state import QueueActivity
from dlq.diagnostics.finding import Finding
from dlq.diagnostics.formats import document, iso_utc
from dlq.diagnostics.rules import backends as rules
from dlq.diagnostics.rules import processes as running
from dlq.errors import UsageError
from dlq.operations.cron_status import CronStatus, cron_document, judge_cron, read_cron
from dlq.operations.monitoring.rates import (
    NOWHERE,
    QueueOnRunners,
    RunningOn,
    activity_document,
    by_queue,
    running_document,
)
from dlq.operations.queues import no_such_queue
from dlq.planning.plan import queues_of
from dlq.primitives.text import counted, printable
from dlq.project.load import Project, require_settings
from dlq.types import QueueName

ANSWER_LIMIT = 5.0
"""Seconds for each answer: a person or a probe does not wait for the setting's 30."""
SHOWN = 5
"""Numbers that a warning lists, at most: a queue may have a thousand."""


class QueueStatus(NamedTuple):
    """`planned` is how many workers the configuration gives the queue over the whole pool; `alive`
    how many numbers have a living owner, those of exact machines included; `missing` are the
    planned numbers that have none. `activity` is summed over the runners; `running` has the jobs
    that have run longest first."""

    state: QueueState
    planned: int
    alive: int
    missing: tuple[int, ...] = ()
    activity: QueueActivity = QueueActivity()
    running: tuple[RunningOn, ...] = ()


class Status(NamedTuple):
    """Times are Unix times in seconds; `at` is when the servers were asked."""

    at: float
    servers: tuple[ServerState, ...]
    queues: tuple[QueueStatus, ...]
    runners: tuple[RunnerState, ...]
    findings: tuple[Finding, ...]
    cron: tuple[CronStatus, ...] = ()

    @property
    def workers(self) -> int:
        return sum(len(runner.workers) for runner in self.runners)

    @property
    def busy(self) -> int:
        return sum(runner.busy for runner in self.runners)

    @property
    def is_well(self) -> bool:
        return not any(finding.level in {"error", "warning"} for finding in self.findings)


def read_status(project: Project, now: float) -> Status:
    """Ask every server of the project's backends, within `runtime.probing` where a limit of their
    settings is too long to wait for. Raises UsageError where no backend can tell, and
    BackendUnavailable."""
    settings = require_settings(project)
    assert project.resolution is not None
    queues = queues_of(project, project.resolution, settings)
    planned = {queue.name: queue.workers for queue in queues}
    current = runtime.current()
    homes = {name: current.backend(name) for name in planned}
    able = {b for b in homes.values() if isinstance(b, BackendWithRunners)}
    if not able:
        raise UsageError(
            "no queue has a backend that can tell: set LIGHTWEIGHT_QUEUE_BACKEND to"
            " 'dlq.backends.reliable_redis.ReliableRedisBackend'"
        )
    servers: dict[str, ServerState] = {}
    runners: dict[str, RunnerState] = {}
    states: dict[QueueName, QueueState] = {}
    dropped: dict[QueueName, int] = {}
    for backend in able:
        server = backend.server_state()
        servers.setdefault(server.address, server)
        runners.update({seen.runner.nonce: seen for seen in backend.runners()})
        stored = [n for n in current.stored_queues(backend) if current.backend(n) is backend]
        configured = [name for name, home in homes.items() if home is backend]
        names = dict.fromkeys([*configured, *stored])
        found = backend.queue_states({name: planned.get(name, 0) for name in names})
        states |= {state.queue: state for state in found}
        dropped |= _dropped(backend, found)
    seen = by_queue(runners.values())
    workers_of = {nonce: frozenset(state.workers) for nonce, state in runners.items()}
    listed = tuple(
        queue_status(state, planned.get(name, 0), workers_of, seen.get(name, NOWHERE))
        for name, state in sorted(states.items())
    )
    alive = tuple(sorted(runners.values(), key=_order))
    cron = tuple(read_cron(project.cron.rows, settings.cron_timezone, now))
    of_servers = chain.from_iterable(map(eviction_findings, servers.values()))
    findings = (
        *of_servers,
        *_old_workers(able),
        *judge(listed, alive),
        *judge_dropped(dropped, settings.failed_keep),
        *judge_cron(cron),
    )
    return Status(now, tuple(servers.values()), listed, alive, findings, cron)


def only_queue(status: Status, name: str) -> Status:
    """Return the status of one queue, with the findings that name it. Raises UsageError."""
    found = tuple(queue for queue in status.queues if queue.state.queue == name)
    if not found:
        raise UsageError(no_such_queue(name, [queue.state.queue for queue in status.queues]))
    about = tuple(finding for finding in status.findings if repr(name) in finding.message)
    return status._replace(queues=found, findings=about)


def _dropped(backend: BaseBackend, states: Iterable[QueueState]) -> dict[QueueName, int]:
    if not isinstance(backend, BackendWithFailedJobs):
        return {}
    return backend.failures_dropped([state.queue for state in states if state.failed])


def judge_dropped(dropped: Mapping[QueueName, int], keep: int) -> Iterable[Finding]:
    """What to say of failed jobs that are gone. Pure."""
    for queue, count in sorted(dropped.items()):
        yield rules.W534.finding(
            f"queue {queue!r} has dropped {counted(count, 'failed job')}: FAILED_KEEP is {keep}",
            None,
            f"find out what fails: dlq failed list --queue {queue}; or raise FAILED_KEEP",
        )


def _old_workers(backends: Iterable[BackendWithRunners]) -> Iterable[Finding]:
    """Warn where workers of 4.11 may take jobs of Django's tasks framework."""
    from django.conf import settings

    tasks = getattr(settings, "TASKS", None) or {}
    if not any(str(each.get("BACKEND", "")).startswith("dlq.") for each in tasks.values()):
        return
    if any(backend.has_workers_of_411() for backend in backends):
        yield rules.W512.finding(
            "TASKS names dlq, and workers of django-lightweight-queue 4.11 are connected",
            None,
            "stop them, or give the framework's tasks queues that they don't have",
        )


def judge(queues: Sequence[QueueStatus], runners: Sequence[RunnerState]) -> Iterable[Finding]:
    """What is wrong. Pure."""
    yield from _disagreement(runners)
    yield from _doubled_machines(runners)
    yield from _workers_that_cannot_run(runners)
    yield from _unsupervised(runners)
    explained = {worker for seen in runners for worker in seen.exits}
    planned = sum(queue.planned for queue in queues)
    is_anybody_there = bool(runners) or any(queue.alive for queue in queues)
    if planned and not is_anybody_there:
        yield rules.W503.finding(
            f"no runner is alive: {counted(planned, 'worker')} of the configuration"
            f" {'is' if planned == 1 else 'are'} not running",
            None,
            "start one: dlq run (workers of 4.11 show no life that could be seen here)",
        )
    for queue in queues:
        name, state = queue.state.queue, queue.state
        jobs = state.waiting + state.in_hand + state.delayed
        if jobs and not queue.alive:
            yield rules.W502.finding(
                f"queue {name!r} has {counted(jobs, 'job')} and no living worker",
                None,
                f"add it to LIGHTWEIGHT_QUEUE_WORKERS, or drop its jobs: dlq clear {name}"
                if not queue.planned
                else "start its runner: dlq run; or look into that machine's log",
            )
            continue
        missing = [n for n in queue.missing if f"{name}/{n}" not in explained]
        if is_anybody_there and missing:
            yield rules.W503.finding(
                f"queue {name!r} has {queue.planned - len(queue.missing)} of"
                f" {counted(queue.planned, 'worker')}: {_listed(name, missing)}"
                f" {'has' if len(missing) == 1 else 'have'} no living worker",
                None,
                "start the missing machine, or look into its log",
            )


def _disagreement(runners: Sequence[RunnerState]) -> Iterable[Finding]:
    pools: dict[str, list[RunnerState]] = defaultdict(list)
    for seen in runners:
        if not seen.runner.exact:
            pools[seen.runner.pool_id].append(seen)
    if len(pools) < 2:
        return
    text = ", ".join(
        f"{pool} ({counted(len(members), 'machine')} of {members[0].runner.of})"
        for pool, members in sorted(pools.items(), key=lambda item: -len(item[1]))
    )
    yield rules.W501.finding(
        f"machines disagree about the pool: {text}. Some workers run twice, some nowhere",
        None,
        "give all machines the same settings and --of; `dlq run --expect-pool ID` refuses others",
    )


def _doubled_machines(runners: Sequence[RunnerState]) -> Iterable[Finding]:
    places: dict[tuple[str, int | None], list[RunnerState]] = defaultdict(list)
    for seen in runners:
        if not seen.runner.exact and seen.is_supervised:
            places[seen.runner.pool_id, seen.runner.machine].append(seen)
    for (_, machine), members in places.items():
        if len(members) > 1:
            hosts = ", ".join(f"{seen.runner.host} (pid {seen.runner.pid})" for seen in members)
            yield rules.W504.finding(
                f"machine {machine} of {members[0].runner.of} runs {len(members)} times: {hosts}",
                None,
                "stop one of them, or give it another --machine",
            )


def _workers_that_cannot_run(runners: Sequence[RunnerState]) -> Iterable[Finding]:
    """One finding for each cause: a broken middleware keeps all workers of all machines down."""
    causes: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for seen in runners:
        for worker, reason in seen.exits.items():
            causes[reason].append((worker, seen.runner.host))
    for reason, found in sorted(causes.items()):
        names = ", ".join(printable(worker) for worker, _ in found[:SHOWN])
        more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        hosts = ", ".join(sorted({printable(host) for _, host in found}))
        verb = "is" if len(found) == 1 else "are"
        yield running.W407.finding(
            f"{counted(len(found), 'worker')} on {hosts} {verb} not running, {names}{more}:"
            f" {printable(reason, 500)}",
            None,
            "fix what raises, and reload the runner (HUP) where its code is loaded once",
        )


def _unsupervised(runners: Sequence[RunnerState]) -> Iterable[Finding]:
    for seen in runners:
        if seen.is_supervised:
            continue
        jobs = [f"{job.worker} (pid {job.pid}) {job.task}" for job in seen.running]
        finishing = "; ".join(printable(job) for job in jobs[:SHOWN]) or "none has a job"
        yield running.W408.finding(
            f"the supervisor of a runner on {printable(seen.runner.host)} is gone (pid"
            f" {seen.runner.pid}); its workers finish their jobs: {finishing}",
            None,
            "start the runner again: the new one takes the numbers over as they become free",
        )


def queue_status(
    state: QueueState,
    planned: int,
    workers_of: Mapping[str, Collection[str]],
    seen: QueueOnRunners = NOWHERE,
) -> QueueStatus:
    """Judge which workers of a queue live. `workers_of` are the living workers by runner: of a
    process of another host only its runner knows whether it lives, and says so. Pure."""
    dead = {
        owner.number
        for owner in state.owners
        # A spare number is above those; its worker has another name.
        if owner.number <= planned
        and owner.nonce in workers_of
        and f"{state.queue}/{owner.number}" not in workers_of[owner.nonce]
    }
    alive = {owner.number for owner in state.owners if owner.alive} - dead
    # At-most-once queues have no owners; the runners say which workers they have.
    missing = sorted(set(range(1, planned + 1)) - alive - seen.numbers)
    here = len(alive | seen.numbers)
    return QueueStatus(state, planned, here, tuple(missing), seen.activity, seen.running)


def _order(seen: RunnerState) -> tuple[bool, str, int, str]:
    runner = seen.runner
    return (runner.exact, runner.pool_id, runner.machine or 0, runner.host)


def status_json(status: Status) -> dict[str, Any]:
    """The document that `dlq status --format json` prints. `age` and `latency` are in seconds."""
    from dlq.diagnostics.finding import as_fields

    return document(
        at=iso_utc(status.at),
        well=status.is_well,
        servers=[server._asdict() for server in status.servers],
        queues=[
            {
                "queue": queue.state.queue,
                "waiting": queue.state.waiting,
                "oldest": _iso(queue.state.oldest),
                "in_hand": queue.state.in_hand,
                "delayed": queue.state.delayed,
                "failed": queue.state.failed,
                "workers": {
                    "planned": queue.planned,
                    "alive": queue.alive,
                    "missing": list(queue.missing),
                },
                "paused_until": _iso(queue.state.paused_until),
                "pause": None
                if queue.state.paused_until is None
                else queue.state.pause_note._asdict(),
                "activity": activity_document(queue.state.waiting, queue.activity),
                "running": [running_document(each) for each in queue.running],
            }
            for queue in status.queues
        ],
        runners=[
            {
                **seen.runner._asdict(),
                "started": iso_utc(seen.runner.started),
                "age": seen.age,
                "workers": list(seen.workers),
                "busy": seen.busy,
                "is_supervised": seen.is_supervised,
                "exits": dict(seen.exits),
            }
            for seen in status.runners
        ],
        cron=[cron_document(row) for row in status.cron],
        findings=[as_fields(finding) for finding in status.findings],
    )


def _iso(moment: float | None) -> str | None:
    return None if moment is None else iso_utc(moment)


def _listed(queue: QueueName, numbers: Sequence[int]) -> str:
    """`emails/2, emails/5`; of many, the first few."""
    shown = ", ".join(f"{queue}/{number}" for number in numbers[:SHOWN])
    more = len(numbers) - SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
