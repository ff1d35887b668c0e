"""HUP: become the new code and configuration, unless it is bad.

Code that is loaded cannot be judged by a fork of the process that has loaded the old one. So the
same command is started once more with CHECK_ONLY in its environment, which ends it where workers
would be started; if it gets so far, the supervisor stops its workers and replaces itself by the
command, under the same pid.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from typing import NoReturn

from dlq.primitives.text import printable
from dlq.process.posix.memory_file import open_memory_file
from dlq.process.posix.signals import CHANGED_SIGNALS, is_hangup_ignored
from dlq.process.supervisor.exit_status import ExitStatus

CHECK_ONLY = "DLQ_CHECK_ONLY"
"""In the environment of the command that only checks."""
REPLACES = "DLQ_REPLACES"
"""In the environment of the command that a supervisor has become: its pid. It has its pidfile
already, and is in the background already."""
OUTPUT_LIMIT = 2_000
"""Characters of the check's output that go to the log; the end says what is wrong."""


class Hangup:
    """The meaning of HUP: a request to reload, or that the terminal was closed that this process
    was started from. Made while that terminal is open."""

    def __init__(self) -> None:
        self._has_terminal = os.isatty(0)

    def is_stop(self) -> bool:
        return self._has_terminal and not os.isatty(0)


class Reload:
    def __init__(self) -> None:
        self.pid: int | None = None
        self._output = -1

    def check(self) -> None:
        """Start the check, unless one is under way. Raises OSError."""
        if self.pid is not None:
            return
        command = _command()
        output = open_memory_file("dlq-check")
        try:
            self.pid = self._spawn(command, output)
        except OSError:
            os.close(output)
            raise
        self._output = output

    def _spawn(self, command: list[str], output: int) -> int:
        return os.posix_spawn(
            command[0],
            command,
            {**os.environ, CHECK_ONLY: "1"},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, output, 1),
                (os.POSIX_SPAWN_DUP2, output, 2),
            ],
            setpgroup=0,
            setsigdef=[n for n in CHANGED_SIGNALS if n != signal.SIGHUP or not is_hangup_ignored()],
        )

    def outcome(self, exit_status: ExitStatus) -> str | None:
        """Why the configuration is refused; None where it is good."""
        self.pid = None
        with open(self._output, "rb") as output:
            output.seek(0)
            text = output.read().decode("utf-8", "replace").strip()
        if exit_status.is_clean:
            return None
        return (
            f"the check {exit_status.describe()}: {printable(text[-OUTPUT_LIMIT:], OUTPUT_LIMIT)}"
        )


def become_new(environment: Mapping[str, str]) -> NoReturn:
    """Replace this process by the command it was started with. `environment` is added to its own.
    Raises OSError."""
    # Until the new code handles HUP, another one is kept: it must not end the process.
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGHUP,))
    command = _command()
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(command[0], command, {**os.environ, **environment, REPLACES: str(os.getpid())})


def is_replacement() -> bool:
    return os.environ.get(REPLACES) == str(os.getpid())


def is_check_only() -> bool:
    return os.environ.get(CHECK_ONLY) == "1"


def _command() -> list[str]:
    return [sys.executable, *sys.orig_argv[1:]]
