"""How a process ended, and the words for it. Pure."""

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
        """`exited with code 3`, `killed by SIGSEGV`. A kill by the kernel for want of memory looks
        the same as one by hand, so the text for SIGKILL allows for both."""
        if self.signal is None:
            return f"exited with code {self.code}"
        name = signal_name(self.signal)
        return f"killed by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")


def signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
