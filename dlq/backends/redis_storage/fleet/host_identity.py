"""Which kernel this process runs on: whose pids it can look up."""

from __future__ import annotations

import os
import secrets
import socket


def here() -> tuple[str, str]:
    """The host's name, and its boot: equal for two processes that can look up each other's pid."""
    return socket.gethostname(), _boot()


def _boot() -> str:
    """This start of this kernel, and where pids are counted: two containers share the one and not
    the other, and a pid of one means nothing in the other. Random where it can't be known: then
    nobody may conclude anything from a pid."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            kernel = file.read().strip()
        return f"{kernel}/{os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return secrets.token_hex(8)
