"""Free ports of this host, which stay free until the test uses them.

Asking the kernel for any free port would give one of those that it also gives to every outgoing
connection: between the asking and the use, or while a server is stopped, another connection may
take it. These come from below that range, and each test process has a part of its own.
"""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Iterator
from itertools import cycle

FIRST, END = 10_000, 30_000
"""Above what services have by custom, below the kernel's own (/proc/sys/net/ipv4)."""


def _own_ports() -> Iterator[int]:
    """Round and round; begun anywhere, for another run of the tests may be on this host."""
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    size = (END - FIRST) // processes
    start, skipped = FIRST + size * (number % processes), random.randrange(size)
    return cycle([*range(start + skipped, start + size), *range(start, start + skipped)])


_PORTS = _own_ports()


def free_port() -> int:
    return next(port for port in _PORTS if _is_free(port))


def free_ports(count: int) -> int:
    """The first of several free ports in a row."""
    row = [free_port()]
    while len(row) < count:
        port = free_port()
        row = [*row, port] if port == row[-1] + 1 else [port]
    return row[0]


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        # As servers do: a port whose last connections are just closed can be had.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
