"""The systems that are compared, each with what it takes to install, start and recognise it.

To add one: a value here, and a Django app `project/with_NAME` with its tasks.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.benchmarks.environments import PROJECT, ROOT, Environment


@dataclass(frozen=True, slots=True)
class Sight:
    """What can be seen of a system that is starting: clients that block on the server, processes
    of its tree, and what it has printed."""

    blocked: int
    processes: int
    printed: str


@dataclass(frozen=True, slots=True)
class System:
    """`command` starts so many workers. `ready` says whether they all wait for work, `busy` is how
    it is told from the outside; `pace` is roughly its jobs per second, from which follows how many
    jobs a drain needs; `life` is after how many jobs a worker is replaced, if ever."""

    name: str
    title: str
    requirements: tuple[str, ...]
    distributions: tuple[str, ...]
    project_app: str
    command: Callable[[Environment, int], list[str]]
    pace: int
    ready: Callable[[Sight, int], bool] = lambda sight, workers: sight.blocked >= workers
    has_bulk: bool = False
    life: int | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    deduplicate: Callable[[Environment], list[str]] | None = None


@dataclass(frozen=True, slots=True)
class Bare:
    """A loop of `bare.py`, run in dlq's environment; it answers for one metric only."""

    name: str
    title: str
    verb: str
    metric: str
    pace: int


def _own_requirements() -> tuple[str, ...]:
    """dlq as a user installs it, from this tree; its dependencies are named so that the environment
    is made anew when they change."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return (*project["dependencies"], "--editable", str(ROOT))


DLQ = System(
    name="dlq",
    title="dlq, reliable",
    requirements=_own_requirements(),
    distributions=("dlq", "redis", "django"),
    project_app="lightweight",
    command=lambda environment, workers: [environment.tool("dlq"), "run"],
    pace=12_000,
    has_bulk=True,
    life=1000,
    variables={"BENCH_APP": "dlq"},
    deduplicate=lambda environment: [environment.tool("dlq"), "deduplicate", "default"],
)

SYSTEMS: tuple[System, ...] = (
    DLQ,
    System(
        name="dlq-4.11",
        title="django-lightweight-queue 4.11, reliable",
        requirements=("django-lightweight-queue[redis]==4.11.0", "redis<5", "django>=5.2,<6"),
        distributions=("django-lightweight-queue", "redis", "django"),
        project_app="lightweight",
        command=lambda environment, workers: environment.manage("queue_runner"),
        pace=550,
        has_bulk=True,
        life=1000,
        variables={"BENCH_APP": "django_lightweight_queue"},
        deduplicate=lambda environment: environment.manage("queue_deduplicate", "default"),
    ),
    System(
        name="celery",
        title="Celery",
        requirements=("celery[redis]~=5.7.0", "django>=5.2,<6"),
        distributions=("celery", "redis", "django"),
        project_app="celery",
        command=lambda environment, workers: [
            environment.tool("celery"),
            f"--app={PROJECT}.with_celery.app",
            "worker",
            f"--concurrency={workers}",
        ],
        pace=1000,
        # The consumer blocks on the server when its children are there; they never connect to it.
        ready=lambda sight, workers: sight.blocked >= 1 and sight.processes > workers,
    ),
    System(
        name="rq",
        title="RQ",
        requirements=("rq~=3.0.0", "django-rq~=4.2", "django>=5.2,<6"),
        distributions=("rq", "redis", "django"),
        project_app="rq",
        command=lambda environment, workers: environment.manage(
            "rqworker-pool", "default", f"--num-workers={workers}"
        ),
        pace=60,
        has_bulk=True,
    ),
    System(
        name="dramatiq",
        title="Dramatiq, 8 threads",
        requirements=("dramatiq[redis]~=2.2.0", "django-dramatiq~=0.15", "django>=5.2,<6"),
        distributions=("dramatiq", "redis", "django"),
        project_app="dramatiq",
        command=lambda environment, workers: environment.manage(
            "rundramatiq", f"--processes={workers}", "--threads=8"
        ),
        pace=2000,
        # It polls, so there is nothing to be seen on the server.
        ready=lambda sight, workers: sight.printed.count("is ready for action") >= workers,
    ),
    System(
        name="huey",
        title="Huey (at most once, forks its workers)",
        requirements=("huey~=3.5.0", "redis", "django>=5.2,<6"),
        distributions=("huey", "redis", "django"),
        project_app="huey",
        command=lambda environment, workers: environment.manage(
            "run_huey", f"--workers={workers}", "--worker-type=process"
        ),
        pace=2800,
    ),
    System(
        name="taskiq",
        title="taskiq-redis (100 jobs at a time, async)",
        requirements=("taskiq-redis~=1.2.0", "django>=5.2,<6"),
        distributions=("taskiq-redis", "taskiq", "redis", "django"),
        project_app="taskiq",
        command=lambda environment, workers: [
            environment.tool("taskiq"),
            "worker",
            f"{PROJECT}.with_taskiq.tasks:broker",
            f"--workers={workers}",
        ],
        pace=3300,
    ),
)

BARE: tuple[Bare, ...] = (
    Bare("bare-loop", "limit: bare redis-py loop, one round trip a job", "loop", "drain/1", 8000),
    Bare(
        "bare-script",
        "limit: one script moving 32 jobs per round trip",
        "script",
        "drain/1",
        120_000,
    ),
    Bare("bare-push", "limit: bare LPUSH loop", "push", "enqueue", 10_000),
)

EVERYONE: tuple[System | Bare, ...] = (*SYSTEMS, *BARE)
BY_NAME: Mapping[str, System | Bare] = {system.name: system for system in EVERYONE}
