"""The title of a process: what `ps` shows, where setproctitle is installed.

The command line stays in front of it, as in 4.11: scripts look for that with `pgrep -f`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import cache

from dlq.primitives.text import printable

COMMAND_LIMIT = 80
"""Characters of the command line: the room for a title is as long as the arguments of the process,
where the environment is left alone (SPT_NOENV)."""


def set_title(title: str) -> None:
    """Set the title of this process, where that is possible."""
    setter = title_setter()
    if setter is not None:
        setter(title)


@cache
def title_setter() -> Callable[[str], None] | None:
    """The function that sets a title; None where there is none: then a worker makes no titles."""
    try:
        from setproctitle import setproctitle
    except ImportError:
        return None

    program, *arguments = sys.orig_argv
    command = printable(" ".join([os.path.basename(program), *arguments]), COMMAND_LIMIT)

    def set_title(title: str) -> None:
        setproctitle(f"{command} [{title if title.isprintable() else printable(title)}]")

    return set_title
