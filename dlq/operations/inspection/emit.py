"""`dlq emit`: the validated plan as files for systemd, Compose, Kubernetes or a Procfile."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from dlq.deployment.deployment import Deployment, StopLimit, machines_of
from dlq.deployment.targets import TARGETS, EmittedFile
from dlq.errors import UnknownTask, UsageError
from dlq.execution.find_task import find_task
from dlq.planning.implied_queues import is_ours
from dlq.planning.plan import Plan
from dlq.project.load import Project

IN_CONTAINER = ("compose", "kubernetes")


def emit(target: str, project: Project, plan: Plan, config: Sequence[str]) -> list[EmittedFile]:
    """Make the files of a target from a valid plan of a whole pool. Raises UsageError."""
    if target not in TARGETS:
        close = get_close_matches(target, TARGETS, 1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(TARGETS)}"
        raise UsageError(f"dlq emit {target}: {hint}")
    assert plan.split is not None
    assert plan.resolution is not None
    assert plan.resolution.settings is not None
    settings = plan.resolution.settings
    port = settings.prometheus_start_port if settings.enable_prometheus else None
    deployment = Deployment(
        pool_id=plan.split.pool_id,
        of=plan.pool.of,
        machines=machines_of(plan.split, metrics_port=port, on_one_host=target == "procfile"),
        command="dlq" if target in IN_CONTAINER else _command(),
        directory=os.getcwd(),
        settings_module=plan.resolution.settings_module,
        config=tuple(config),
        stop=stop_limit(project, plan),
    )
    return list(TARGETS[target](deployment))


def stop_limit(project: Project, plan: Plan) -> StopLimit:
    """Return how long a stop may take: STOP_TIMEOUT, or the longest timeout of a job."""
    assert plan.resolution is not None
    assert plan.resolution.settings is not None
    limit = plan.resolution.settings.stop_timeout
    if limit is not None:
        return StopLimit(float(limit), f"STOP_TIMEOUT is {limit:g} s")
    longest, name = 0.0, ""
    for name_of_job, timeout, is_killed in _jobs(project, plan):
        if is_killed:
            continue  # a stop ends it at once
        if timeout is None:
            return StopLimit(
                None,
                f"{name_of_job} has no timeout, and STOP_TIMEOUT is not set, so without a limit",
            )
        if timeout > longest:
            longest, name = timeout, name_of_job
    if not name:
        return StopLimit(0.0, "none has to be waited for")
    return StopLimit(longest, f"{name} has the longest timeout, {longest:g} s")


def _jobs(project: Project, plan: Plan) -> list[tuple[str, float | None, bool]]:
    """Return the tasks and cron rows with timeout and sigkill_on_stop."""
    found: list[tuple[str, float | None, bool]] = [
        (row.command, row.timeout, row.sigkill_on_stop) for row in plan.rows
    ]
    for path in dict.fromkeys(d.task for d in project.declarations if d.task and not is_ours(d)):
        try:
            task = find_task(path)
        except UnknownTask:
            continue
        found.append((path, task.timeout, task.sigkill_on_stop))
    return found


def write_files(files: Sequence[EmittedFile], directory: str) -> list[tuple[Path, bool]]:
    """Write files that are not there yet; say of each whether it was written. Raises UsageError."""
    target = Path(directory)
    if not target.is_dir():
        raise UsageError(f"--out {directory}: no such directory ({target.absolute()})")
    written = []
    for name, content in files:
        path = target / name
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(content)
        except FileExistsError:
            written.append((path, False))
            continue
        except OSError as error:
            raise UsageError(f"cannot write {path}: {error.strerror}") from None
        written.append((path, True))
    return written


def _command() -> str:
    """Return the `dlq` of this environment."""
    beside = Path(sys.executable).parent / "dlq"
    return str(beside) if beside.exists() else shutil.which("dlq") or "dlq"
