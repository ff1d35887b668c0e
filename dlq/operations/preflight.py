"""Start a supervisor from a command's words: load, plan, refuse or go on."""

from __future__ import annotations

import errno
import logging
import socket
from collections.abc import Callable, Sequence

from dlq.config.resolution import Resolution
from dlq.diagnostics.finding import Finding
from dlq.diagnostics.refusal import ConfigurationRefused
from dlq.diagnostics.rules import processes as rules
from dlq.operations.run import RunOptions, refusal, run, run_one_worker
from dlq.planning.plan import Plan, make_plan
from dlq.planning.split import Pool, Split
from dlq.process.posix.startup import handle_early_signals
from dlq.process.supervisor import reload
from dlq.project.load import StartDirectory, load_project
from dlq.types import QueueName, WorkerNumber


def start(
    settings: str | None,
    override_files: Sequence[str],
    pool: Pool,
    options: RunOptions,
    *,
    show: Callable[[Plan], None],
    verbose: bool = False,
) -> int:
    """Run the plan for `pool` until it is stopped; the exit code. `show` gets the plan before
    anything starts. Raises ConfigurationRefused, DifferentPool, UsageError."""
    handle_early_signals()
    directory = StartDirectory()
    plan, dealt, resolution = _valid_plan(settings, override_files, pool)
    options = options.with_paths(directory.paths)
    _show(plan, show)
    _set_log_level(verbose)
    return run(dealt, plan.rows, resolution, options)


def start_worker(
    settings: str | None,
    override_files: Sequence[str],
    queue: str,
    number: int,
    *,
    show: Callable[[Plan], None],
    print_line: Callable[[str], None] = print,
    touch_file: str | None = None,
    metrics_port: int | None = None,
    verbose: bool = False,
    any_number: bool = False,
) -> int:
    """Run one worker of the configuration until it is stopped; the exit code. Raises as `start`."""
    handle_early_signals()
    directory = StartDirectory()
    plan, dealt, resolution = _valid_plan(settings, override_files, Pool())
    if touch_file is not None:
        [touch_file] = directory.paths([touch_file])
    _show(plan, show)
    _set_log_level(verbose)
    return run_one_worker(
        QueueName(queue),
        WorkerNumber(number),
        dealt,
        resolution,
        touch_file=touch_file,
        metrics_port=metrics_port,
        print_line=print_line,
        any_number=any_number,
    )


def _valid_plan(
    settings: str | None, override_files: Sequence[str], pool: Pool
) -> tuple[Plan, Split, Resolution]:
    project = load_project(settings, override_files, exact=pool.exact)
    plan = make_plan(project, pool)
    dealt, resolution = plan.split, plan.resolution
    if dealt is None or resolution is None or not plan.is_valid:
        if not project.is_readable:
            raise ConfigurationRefused(
                "nothing was started: the configuration cannot be read", plan.findings
            )
        raise refusal(plan.findings)
    taken = _ports_in_use(resolution, dealt)
    return plan._replace(findings=(*plan.findings, *taken)), dealt, resolution


def _ports_in_use(resolution: Resolution, dealt: Split) -> list[Finding]:
    """Asked by listening, for a moment, as the metrics will. A supervisor that has us check its new
    configuration, or that we replace, has these ports itself."""
    settings = resolution.settings
    if settings is None or not settings.enable_prometheus or not dealt.workers:
        return []
    if reload.is_check_only() or reload.is_replacement():
        return []
    start, source = settings.prometheus_start_port, resolution.source_of("PROMETHEUS_START_PORT")
    uses = {start: "/worker_config"}
    uses |= {start + worker.position: f"the metrics of {worker.name}" for worker in dealt.workers}
    return [
        rules.W404.finding(
            f"port {port} of {settings.prometheus_address}, for {use}, cannot be had: {problem}",
            source,
            "stop what listens there, or choose another PROMETHEUS_START_PORT",
        )
        for port, use in uses.items()
        if (problem := _cannot_listen(settings.prometheus_address, port)) is not None
    ]


def _cannot_listen(address: str, port: int) -> str | None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address, port))
            listener.listen()
        except OSError as error:
            return "it is in use" if error.errno == errno.EADDRINUSE else str(error.strerror)
    return None


def _show(plan: Plan, show: Callable[[Plan], None]) -> None:
    """A log that cannot be written, its disk being full, keeps no job from being run."""
    try:
        show(plan)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise


def _set_log_level(verbose: bool) -> None:
    """Send DEBUG records of dlq, with -v, where the project's logging sends them, or to stderr
    where it doesn't say. Without -v, a project in development sees a line for each job that ends.
    """
    is_configured = bool(logging.getLogger().handlers)
    if verbose:
        logging.getLogger("dlq").setLevel(logging.DEBUG)
        if not is_configured:
            logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    elif _is_development() and not is_configured:
        _log_finished_jobs()


FINISHED = "job_finished"
"""The action of the log record of a job that ended well."""


def _is_development() -> bool:
    from django.conf import settings

    return bool(settings.DEBUG)


def _log_finished_jobs() -> None:
    """Only where the project leaves the middleware's logger as Python has it."""
    from dlq.middleware.logging import logger

    if logger.hasHandlers() or logger.level != logging.NOTSET:
        return
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    handler.addFilter(
        lambda record: record.levelno > logging.INFO or getattr(record, "action", "") == FINISHED
    )
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
