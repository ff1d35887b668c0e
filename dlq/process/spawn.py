"""PRELOAD = False: a worker in a new interpreter, which gets everything from its supervisor.

It is slower to start and larger in memory than a fork, and it runs the code as it is on disk now.
The supervisor's message goes through a file without a name, not through arguments or the
environment: it holds passwords, and `ps` shows those.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from typing import NamedTuple

from dlq.backends.base import PreviousProcess
from dlq.config.resolution import Resolution
from dlq.config.settings import Settings
from dlq.process.entrypoints import SharedResources, run_worker
from dlq.process.posix.fork import STOP_SIGNAL, exit_with_supervisor, leave
from dlq.process.posix.memory_file import open_memory_file
from dlq.process.posix.signals import CHANGED_SIGNALS, is_hangup_ignored
from dlq.process.posix.standard_streams import write_lines_at_once
from dlq.process.scoreboard import Scoreboard
from dlq.process.worker.worker import WorkerSpec
from dlq.types import Runner


class SpawnMessage(NamedTuple):
    """All that a spawned worker needs to know."""

    path: list[str]
    settings_module: str
    settings: Settings
    spec: WorkerSpec
    runner: Runner
    previous: PreviousProcess


def spawn(
    spec: WorkerSpec, shared: SharedResources, previous: PreviousProcess, resolution: Resolution
) -> int:
    """Start the worker; its pid."""
    assert resolution.settings is not None
    message = SpawnMessage(
        sys.path,
        resolution.settings_module or os.environ.get("DJANGO_SETTINGS_MODULE", ""),
        resolution.settings,
        spec,
        shared.runner,
        previous,
    )
    with open(open_memory_file("dlq-worker"), "w+b") as file:
        # The path first: what follows may need it to be read.
        pickle.dump(message.path, file)
        pickle.dump(message, file)
        file.seek(0)
        return os.posix_spawn(
            sys.executable,
            [sys.executable, "-m", "dlq.process.spawn"],
            {**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)},
            file_actions=[
                (os.POSIX_SPAWN_DUP2, file.fileno(), 0),
                (os.POSIX_SPAWN_DUP2, shared.scoreboard.fd, 3),
            ],
            setpgroup=0,
            setsigmask=[],
            setsigdef=[
                signal.SIGPIPE,
                *(n for n in CHANGED_SIGNALS if n != signal.SIGHUP or not is_hangup_ignored()),
            ],
        )


def main() -> int:
    """Read the message and run the worker: called in the new interpreter."""
    with os.fdopen(0, "rb", closefd=False) as file:
        sys.path[:] = pickle.load(file)
        message: SpawnMessage = pickle.load(file)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.set_inheritable(3, False)
    os.environ["DJANGO_SETTINGS_MODULE"] = message.settings_module
    write_lines_at_once()
    exit_with_supervisor(message.spec.supervisor, STOP_SIGNAL)

    import django

    from dlq.config import active
    from dlq.process.worker.database import DatabaseConnections

    django.setup()
    active.install(Resolution(message.settings, {}, (), message.settings_module))
    shared = SharedResources(Scoreboard.attach(3), message.runner, DatabaseConnections())
    return run_worker(message.spec, shared, message.previous)


if __name__ == "__main__":
    # By its full name, so that what it unpickles is of the same classes.
    from dlq.process.spawn import main as main_of_the_module

    leave(main_of_the_module())
