"""Who this runner is, for the other runners of its servers."""

from __future__ import annotations

import os
import secrets
import socket
import time

from dlq import __version__
from dlq.planner import Split
from dlq.types import Runner


def make_runner(split: Split, settings_module: str) -> Runner:
    pool = split.pool
    return Runner(
        nonce=secrets.token_hex(8),
        host=socket.gethostname(),
        boot=boot(),
        pid=os.getpid(),
        started=time.time(),
        pool_id=split.pool_id,
        machine=None if pool.exact else pool.machine,
        of=None if pool.exact else pool.of,
        exact=pool.exact,
        runs_cron=split.runs_cron,
        settings_module=settings_module,
        version=__version__,
    )


def boot() -> str:
    """This start of this kernel, and where pids are counted: two containers share the one and not
    the other, and a pid of one means nothing in the other. Random where it can't be known: then
    nobody may conclude anything from a pid."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            kernel = file.read().strip()
        return f"{kernel}/{os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return secrets.token_hex(8)
