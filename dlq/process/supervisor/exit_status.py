"""How a process ended, in words. Pure."""

from __future__ import annotations

import os
import signal
from typing import NamedTuple


class ExitStatus(NamedTuple):
    """`status` as `os.waitpid` gives it."""

    status: int

    @property
    def code(self) -> int | None:
        return os.WEXITSTATUS(self.status) if os.WIFEXITED(self.status) else None

    @property
    def signal(self) -> int | None:
        return os.WTERMSIG(self.status) if os.WIFSIGNALED(self.status) else None

    @property
    def is_clean(self) -> bool:
        return self.code == 0

    def describe(self) -> str:
        """`exited with code 3`, `killed by SIGSEGV`. Nothing tells a process that the kernel killed
        for want of memory from one that somebody killed by hand, so SIGKILL names both."""
        if self.signal is None:
            return f"exited with code {self.code}"
        name = signal_name(self.signal)
        return f"killed by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")


def signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
