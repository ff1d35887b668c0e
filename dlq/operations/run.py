"""Become the supervisor of a plan: check what can be checked, go into the background if asked,
start.

Whatever is wrong is reported before anything runs, all of it at once: a `UsageError` for options
and files, `ConfigurationRefused` for the configuration.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from dlq.config import active
from dlq.config.resolution import Resolution
from dlq.config.settings import Settings
from dlq.diagnostics.finding import Finding, errors
from dlq.diagnostics.refusal import ConfigurationRefused
from dlq.diagnostics.rules import backends
from dlq.diagnostics.rules import processes as running
from dlq.errors import (
    BackendUnavailable,
    DifferentPool,
    ExitCode,
    NoSuchDatabase,
    UsageError,
)
from dlq.planning.split import PlannedWorker, Split
from dlq.primitives.text import counted
from dlq.process.posix.pidfile import PidFile, detach
from dlq.process.posix.signals import SignalPipe
from dlq.process.supervisor import reload
from dlq.types import QueueName, WorkerNumber

if TYPE_CHECKING:
    from dlq.cron.rows.row import CronRow


class RunOptions(NamedTuple):
    """`pidfile`: go into the background and write the pid there. `touchfile`: touched after each
    job that succeeded, with the queue's name in place of `%s`. `health_file`: touched by the
    supervision loop about once a second, for `dlq health`. `print_line` gets the lines that a
    person at the terminal reads; the same facts go to the loggers `dlq.supervisor`,
    `dlq.heartbeat`, `dlq.worker`, `dlq.scheduler`. `reload`: become the new
    code whenever it changes."""

    pidfile: str | None = None
    touchfile: str | None = None
    expect_pool: str | None = None
    health_file: str | None = None
    print_line: Callable[[str], None] = print
    reload: bool = False

    def with_paths(self, change: Callable[[list[str]], list[str]]) -> RunOptions:
        """The options with their paths changed."""

        def one(path: str | None) -> str | None:
            return None if path is None else change([path])[0]

        return self._replace(
            pidfile=one(self.pidfile),
            touchfile=one(self.touchfile),
            health_file=one(self.health_file),
        )


def run(split: Split, rows: Sequence[CronRow], resolution: Resolution, options: RunOptions) -> int:
    """Run the workers of `split` (this machine's) and, where it says so, schedule `rows`, until
    they are stopped; the exit code. Django is set up and the users' tasks are loaded.

    Raises DifferentPool, UsageError, ConfigurationRefused.
    """
    if options.expect_pool is not None and options.expect_pool != split.pool_id:
        raise DifferentPool(
            f"--expect-pool {options.expect_pool}: this configuration is pool {split.pool_id}"
        )
    return _start(split, rows, resolution, options, _touch_files(split, options.touchfile))


def run_one_worker(
    queue: QueueName,
    number: WorkerNumber,
    split: Split,
    resolution: Resolution,
    *,
    touch_file: str | None = None,
    metrics_port: int | None = None,
    print_line: Callable[[str], None] = print,
    any_number: bool = False,
) -> int:
    """Run one worker of `split` in the foreground, under a supervisor of its own; the exit code.
    `any_number`: also one that WORKERS does not have, as 4.11 did, with a warning.

    Raises UsageError where there is no such worker, and what `run` raises.
    """
    missing = _missing_worker(split, queue, number)
    if missing is not None:
        if number < 1 or not any_number:
            raise UsageError(missing)
        print_line(f"warning: {missing}; it runs beside them")
    worker = PlannedWorker(split.pool.machine or 1, queue, number, 1)
    one = split._replace(workers=(worker,), schedulers=())
    options = RunOptions(print_line=print_line)
    files = {} if touch_file is None else {queue: touch_file}
    return _start(one, (), resolution, options, files, metrics_port, serves_config=False)


def _missing_worker(split: Split, queue: QueueName, number: WorkerNumber) -> str | None:
    """Say that the configuration has no such worker; None where it has."""
    counts = {plan.name: plan.workers for plan in split.queues}
    if queue not in counts:
        return f"no queue is called {queue!r}: the queues are {', '.join(counts) or 'none'}"
    if 1 <= number <= counts[queue]:
        return None
    if not counts[queue]:
        return f"{queue!r} has 0 workers in this configuration"
    return f"{queue!r} has no worker {number}: its workers are 1 to {counts[queue]}"


def start_findings(settings: Settings) -> list[Finding]:
    """What keeps this configuration from being run here, besides what a plan finds."""
    found = []
    if settings.enable_prometheus and find_spec("prometheus_client") is None:
        found.append(
            running.E401.finding(
                "ENABLE_PROMETHEUS is true and prometheus-client is not installed",
                help="pip install 'dlq[metrics]'",
            )
        )
    if not settings.preload:
        try:
            pickle.dumps(settings)
        except Exception as error:
            found.append(
                running.E402.finding(
                    f"PRELOAD is False, and a new interpreter cannot be sent the settings: {error}",
                    help="make LIGHTWEIGHT_QUEUE_LOGGER_FACTORY a dotted path",
                )
            )
    return found


def refusal(findings: Sequence[Finding]) -> ConfigurationRefused:
    """Make the error for a configuration that cannot be run (exit code 78)."""
    count = len(errors(findings))
    return ConfigurationRefused(
        f"nothing was started: the configuration has {counted(count, 'error')}",
        findings,
        ExitCode.REFUSED,
    )


def server_findings(split: Split, resolution: Resolution, settings: Settings) -> list[Finding]:
    """What the servers refuse for good. Asked before the terminal is given back; a server that is
    away says nothing, and is waited for later."""
    from dlq import runtime
    from dlq.backends.base import BackendWithRunners

    found = []
    help = "choose a lower number, or raise `databases` in the server's own configuration"
    setting = "REDIS_DATABASE" if settings.redis_url is None else "REDIS_URL"
    for backend in {runtime.current().backend(worker.queue) for worker in split.workers}:
        if not isinstance(backend, BackendWithRunners):
            continue
        try:
            backend.server_state()
        except NoSuchDatabase as error:
            found.append(backends.E505.finding(error.message, resolution.source_of(setting), help))
        except BackendUnavailable:
            # One wait is enough: with its limits for connecting, it may take seconds.
            break
        finally:
            backend.reset()
    return list(dict.fromkeys(found))


def _start(
    split: Split,
    rows: Sequence[CronRow],
    resolution: Resolution,
    options: RunOptions,
    touch_files: dict[QueueName, str],
    metrics_port: int | None = None,
    *,
    serves_config: bool = True,
) -> int:
    from dlq.process.launcher import Launch
    from dlq.process.runner_identity import make_runner
    from dlq.process.supervisor.supervisor import handled_signals

    settings = resolution.settings
    if settings is None:
        raise active.InvalidConfiguration(resolution)
    if refused := start_findings(settings):
        raise refusal(refused)
    if options.reload:
        _require_debug(resolution)
    _require_writable([*touch_files.values(), options.health_file])
    if refused := server_findings(split, resolution, settings):
        raise refusal(refused)
    if reload.is_check_only():
        return ExitCode.DONE
    # From here on a signal is handled by the supervisor, so that the pidfile never stays behind.
    with SignalPipe(handled_signals()) as signals:
        pidfile = None if options.pidfile is None else PidFile(options.pidfile)
        if pidfile is not None:
            if reload.is_replacement():
                pidfile.write()
            else:
                detach(pidfile.write)
        launch = Launch(
            split=split,
            rows=rows,
            resolution=resolution,
            settings=settings,
            runner=make_runner(split, resolution.settings_module),
            announce=options.print_line,
            touch_file_of=touch_files.get,
            health_file=options.health_file,
            metrics_port=metrics_port,
            serves_config=serves_config,
            watches_code=options.reload,
            close_in_children=() if pidfile is None else (pidfile.fd,),
        )
        try:
            ended = launch.run(signals)
            if ended.reload:
                _become_new(pidfile)
        finally:
            if pidfile is not None:
                pidfile.remove()
    return ended.code


def _require_debug(resolution: Resolution) -> None:
    """Raises UsageError."""
    from django.conf import settings

    if not settings.DEBUG:
        raise UsageError(
            f"--reload is for development, and DEBUG is False in {resolution.settings_module}:"
            " leave it out, and send HUP when the code has changed"
        )


def _become_new(pidfile: PidFile | None) -> NoReturn:
    """Raises UsageError: the command may have been removed since it was started."""
    try:
        reload.become_new({} if pidfile is None else pidfile.hand_on())
    except OSError as error:
        raise UsageError(
            f"HUP: cannot start the new command: {error.strerror} (errno {error.errno})"
        ) from None


def _touch_files(split: Split, template: str | None) -> dict[QueueName, str]:
    """Raises UsageError."""
    if template is None:
        return {}
    if template.count("%s") != 1 or template.replace("%s", "").count("%"):
        raise UsageError(
            f"--touchfile {template}: it needs %s once, where the queue's name goes, and no other"
            f" %: {template.replace('%s', '').replace('%', '')}.%s"
        )
    queues = dict.fromkeys(worker.queue for worker in split.workers)
    return {queue: template % queue for queue in queues}


def _require_writable(paths: Sequence[str | None]) -> None:
    """Raises UsageError, for all of them at once; the touch files of many queues share one
    directory, and one trouble."""
    refusals: dict[tuple[str, int | None], list[str]] = {}
    for path in dict.fromkeys(path for path in paths if path is not None):
        try:
            _try_to_write(path)
        except OSError as error:
            text = f"cannot write {path}: {error.strerror} (errno {error.errno})"
            refusals.setdefault((os.path.dirname(path), error.errno), []).append(text)
    if refusals:
        raise UsageError(
            "; ".join(
                texts[0] + (f", and {len(texts) - 1} more there" if len(texts) > 1 else "")
                for texts in refusals.values()
            )
        )


def _try_to_write(path: str) -> None:
    """Raises OSError. The file is not there afterwards if it wasn't before: its being there says
    that a job was done."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CLOEXEC))
    except FileNotFoundError:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666))
        os.unlink(path)
