"""A real runner: `python -m dlq run` in a session of its own, and proved gone at the end."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.kit.ledger import VARIABLE, Ledger
from tests.kit.waiting import wait_until

MARK = "TEST_RUN"
"""In the environment of a runner and so of all its descendants: what its processes are known by."""
ROOT = Path(__file__).parents[2]


class Runner:
    """A context manager. Settings are given by their names in lower case; `options` are those of
    `dlq run`. Leaving the context stops the runner and fails where a process of it is left."""

    def __init__(
        self,
        directory: Path,
        settings: Mapping[str, Any],
        *options: str,
        environment: Mapping[str, str] | None = None,
        prefix: Sequence[str] = (),
        django_settings: str = "tests.project.faults.settings",
        verb: Sequence[str] = ("run",),
        working_directory: Path = ROOT,
    ) -> None:
        self.mark = secrets.token_hex(8)
        self.ledger = Ledger(directory / "ledger")
        self._output = directory / f"output-{self.mark}"
        self._prefix = tuple(prefix)
        self._options = (*verb, *options)
        self._django_settings = django_settings
        self._working_directory = working_directory
        self._environment = {
            **os.environ,
            MARK: self.mark,
            VARIABLE: str(self.ledger.path),
            "DJANGO_SETTINGS_MODULE": django_settings,
            "PYTHONPATH": os.pathsep.join(
                (str(ROOT), str(ROOT / "dlq" / "_alias"), os.environ.get("PYTHONPATH", ""))
            ),
            "PYTHONUNBUFFERED": "1",
            # Or setproctitle would write over the environment that `pids` reads.
            "SPT_NOENV": "1",
            **{f"LIGHTWEIGHT_QUEUE_{name.upper()}": _text(v) for name, v in settings.items()},
            **(environment or {}),
        }
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Runner:
        return self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        left: list[int] = []
        try:
            if self.process is not None and self.process.poll() is None:
                self.process.terminate()
                try:
                    self.process.wait(10)
                except subprocess.TimeoutExpired:
                    left = self.pids()
            if exc_type is None:
                wait_until(lambda: not self.pids(), 5, what="no process of the runner is left")
                assert not left, f"it did not stop within 10 s:\n{self.output}"
        finally:
            if exc_type is not None or "PYTEST_CURRENT_TEST" in os.environ:
                # Seen where the test has failed: pytest captures it.
                sys.stderr.write(f"--- output of the runner\n{self.output}\n---\n")
            for pid in self.pids():
                _kill(pid, signal.SIGKILL)
            if self.process is not None:
                self.process.wait(10)

    def start(self) -> Runner:
        command = [*self._prefix, sys.executable, "-m", "dlq", *self._options]
        with self._output.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                cwd=self._working_directory,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def output_path(self) -> Path:
        return self._output

    @property
    def environment(self) -> Mapping[str, str]:
        """Of its processes: for another process that is to see the same configuration."""
        return self._environment

    @property
    def output(self) -> str:
        return self._output.read_text(errors="replace")

    def started(self, workers: int = 1, limit: float = 15) -> Runner:
        """Wait until so many workers have been started."""
        self.wait_for_line(r"(?s)" + r"/\d+ \| started, pid \d+.*" * workers, limit)
        assert self.pids(), "its processes are known by their mark"
        return self

    def wait_for_line(self, pattern: str, limit: float = 10) -> re.Match[str]:
        """Of the output so far, or of what comes within `limit` seconds."""

        def found() -> re.Match[str] | None:
            match = re.search(pattern, self.output)
            if match is None and self.process is not None and self.process.poll() is not None:
                raise AssertionError(
                    f"the runner ended with {self.process.returncode}:\n{self.output}"
                )
            return match

        match = wait_until(found, limit, what=f"{pattern!r} in the output:\n{self.output}")
        assert match is not None
        return match

    def worker_pid(self, name: str) -> int:
        """The pid of the latest process of a worker, as the output says it."""
        pids = re.findall(rf"^{re.escape(name)} \| started, pid (\d+)", self.output, re.M)
        assert pids, self.output
        return int(pids[-1])

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def signal_everybody(self, number: int) -> None:
        """As systemd and a terminal do it: to each process at the same time."""
        for pid in self.pids():
            _kill(pid, number)

    def wait(self, limit: float = 10) -> int:
        """Its exit code."""
        assert self.process is not None
        return self.process.wait(limit)

    def stop(self, limit: float = 10) -> int:
        self.signal(signal.SIGTERM)
        return self.wait(limit)

    def pids(self) -> list[int]:
        """All processes that descend from the runner and live, whoever their parent is now."""
        mark = f"{MARK}={self.mark}".encode()
        found = []
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                environment = Path("/proc", entry, "environ").read_bytes()
            except OSError:
                continue
            if mark in environment.split(b"\0"):
                found.append(int(entry))
        return found


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _kill(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def is_alive(pid: int) -> bool:
    """Whether a process is there; one that has ended and was not reaped is not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
    except OSError:
        return False
    return state != b"Z"
