"""systemd's notification protocol (sd_notify(3)), for Type=notify and Type=notify-reload. Standard
library only.

Without NOTIFY_SOCKET in the environment every call does nothing.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping


class Notifier:
    """`watchdog` is how often to show life, in seconds: half of what the unit allows."""

    def __init__(self, environment: Mapping[str, str], pid: int) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        self.watchdog = _watchdog(environment, pid) if self._address else None
        self._last_beat = -1e9

    @property
    def is_listening(self) -> bool:
        """Whether systemd waits for notifications."""
        return bool(self._address)

    def ready(self, status: str) -> None:
        self._send("READY=1", f"STATUS={status}", f"MAINPID={os.getpid()}")

    def reloading(self) -> None:
        """Sent as soon as a reload is asked for: with Type=notify-reload systemd has sent the HUP
        itself, and waits for this, with a time after that. Followed by `ready`, from the process
        that this one becomes, or from this one where the new configuration is refused."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        self._send("STOPPING=1")

    def beat(self, now: float) -> None:
        """Called by the supervision loop in each turn: a loop that hangs shows no life."""
        if self.watchdog is not None and now - self._last_beat >= self.watchdog:
            self._last_beat = now
            self._send("WATCHDOG=1")

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        # "@" means the NUL that begins an abstract address.
        address = "\0" + self._address[1:] if self._address[0] == "@" else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
                channel.setblocking(False)
                channel.sendto("\n".join(lines).encode(), address)
        except OSError:
            # The listener has gone, or is slow: no reason to stop running jobs.
            return


def _watchdog(environment: Mapping[str, str], pid: int) -> float | None:
    if environment.get("WATCHDOG_PID", str(pid)) != str(pid):
        return None
    try:
        return int(environment["WATCHDOG_USEC"]) / 2_000_000
    except (KeyError, ValueError):
        return None
