"""The two plans that `dlq plan --diff OLD` compares."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from typing import Any

from dlq.errors import UsageError
from dlq.planning.comparison import PoolPlan, read_plan
from dlq.project.load import Project, require_settings

LIVE = "live"

ANSWER_LIMIT = 5.0
"""Seconds for each answer of a server."""

LIMIT = 120.0
"""Seconds for the plan of other options: it loads a project, which takes a few."""


def read_old_plan(old: str, settings: str | None, project: Project) -> PoolPlan:
    """Read the plan that OLD names: a file, `-` for stdin, `live` or `live:POOL` for a pool that
    runs on the project's servers, or the options of `dlq plan` in quotes.

    Options without --settings get `settings`. Raises UsageError and BackendUnavailable.
    """
    if old == LIVE or old.startswith(f"{LIVE}:"):
        return _live_plan(project, old.removeprefix(LIVE).removeprefix(":"))
    if old == "-":
        return read_plan(_parse(sys.stdin.read(), "stdin"), "stdin")
    if old.startswith("-"):
        return read_plan(_plan_of_options(old, settings), f"dlq plan {old}")
    try:
        with open(old, encoding="utf-8") as file:
            text = file.read()
    except OSError as error:
        raise UsageError(
            f"--diff {old}: {error.strerror}. OLD is a file that dlq plan --format json wrote,"
            " live, or the options of another plan in quotes"
        ) from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{old} is not JSON: it is not UTF-8 ({error.reason})") from None
    return read_plan(_parse(text, old), old)


def _live_plan(project: Project, wanted: str) -> PoolPlan:
    alive, documents = _published_plans(project)
    if not alive:
        raise UsageError("--diff live: no runner is alive, so there is no plan to compare with")
    if wanted and wanted not in alive:
        raise UsageError(
            f"--diff live:{wanted}: no runner of that pool is alive; those alive are of"
            f" {', '.join(alive)}"
        )
    if not wanted and len(alive) > 1:
        raise UsageError(
            f"--diff live: runners of {len(alive)} pools are alive ({', '.join(alive)}): choose"
            f" one, as in --diff live:{alive[0]}"
        )
    pool = wanted or alive[0]
    if pool not in documents:
        raise UsageError(
            f"--diff live: no runner of pool {pool} has published its plan: it does so within"
            " 4 s of its start, with this release"
        )
    where = f"the published plan of pool {pool}"
    return read_plan(_parse(documents[pool], where), where)


def _published_plans(project: Project) -> tuple[list[str], dict[str, str]]:
    """Ask the project's servers for the pools of living runners, and for their plans."""
    from dlq import runtime
    from dlq.backends.base import BackendWithRunners
    from dlq.planning.plan import queues_of

    settings = require_settings(project)
    assert project.resolution is not None
    names = [queue.name for queue in queues_of(project, project.resolution, settings)]
    pools: dict[str, None] = {}
    documents: dict[str, str] = {}
    for backend in dict.fromkeys(map(runtime.current().backend, names)):
        if not isinstance(backend, BackendWithRunners):
            continue
        backend.wait_at_most(ANSWER_LIMIT)
        for pool in dict.fromkeys(state.runner.pool_id for state in backend.runners()):
            pools[pool] = None
            document = backend.published_plan(pool)
            if document is not None:
                documents[pool] = document
    return list(pools), documents


def _plan_of_options(options: str, settings: str | None) -> Any:
    """Make the other plan in a process of its own: Django can be set up only once in this one."""
    try:
        words = shlex.split(options)
    except ValueError as error:
        raise UsageError(f"--diff {options!r}: {error}") from None
    named = [] if settings is None else ["--settings", settings]
    command = [sys.executable, "-m", "dlq", *named, "plan", *words, "--format", "json"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=LIMIT, stdin=subprocess.DEVNULL
    )
    try:
        return json.loads(done.stdout)
    except ValueError:
        said = done.stderr.strip().removeprefix("error: ") or f"exit code {done.returncode}"
        raise UsageError(f"--diff {options!r}: {said}") from None


def _parse(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise UsageError(f"{where} is not JSON: {error}") from None
