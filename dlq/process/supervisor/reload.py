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
import tempfile
from typing import IO, NoReturn

from dlq.primitives.text import printable
from dlq.process.supervisor.exit_status import ExitStatus

CHECK_ONLY = "DLQ_CHECK_ONLY"
"""In the environment of the command that only checks."""
REPLACES = "DLQ_REPLACES"
"""In the environment of the command that a supervisor has become: its pid. It has its pidfile
already, and is in the background already."""
OUTPUT_LIMIT = 2_000
"""Characters of the check's output that go to the log; the end says what is wrong."""


class Reload:
    def __init__(self) -> None:
        self.pid: int | None = None
        self._output: IO[bytes] | None = None

    def check(self) -> None:
        """Start the check, unless one is under way."""
        if self.pid is not None:
            return
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 (closed when the check has ended)
        command = _command()
        output = self._output.fileno()
        self.pid = os.posix_spawn(
            command[0],
            command,
            {**os.environ, CHECK_ONLY: "1"},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, output, 1),
                (os.POSIX_SPAWN_DUP2, output, 2),
            ],
            setpgroup=0,
            setsigdef=[signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD],
        )

    def outcome(self, exit_status: ExitStatus) -> str | None:
        """Why the configuration is refused; None where it is good."""
        assert self._output is not None
        self.pid = None
        self._output.seek(0)
        text = self._output.read().decode("utf-8", "replace").strip()
        self._output.close()
        if exit_status.is_clean:
            return None
        return (
            f"the check {exit_status.describe()}: {printable(text[-OUTPUT_LIMIT:], OUTPUT_LIMIT)}"
        )


def become_new() -> NoReturn:
    """Replace this process by the command it was started with. Raises OSError."""
    # Until the new code handles HUP, another one must not end it.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    command = _command()
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(command[0], command, {**os.environ, REPLACES: str(os.getpid())})


def is_replacement() -> bool:
    return os.environ.get(REPLACES) == str(os.getpid())


def is_check_only() -> bool:
    return os.environ.get(CHECK_ONLY) == "1"


def _command() -> list[str]:
    return [sys.executable, *sys.orig_argv[1:]]
