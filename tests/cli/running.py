"""`dlq run` in the background of a test, stopped at the end, and its group proved gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cli.conftest import Project
from tests.kit.waiting import wait_until


class Running:
    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self._log = log

    @property
    def text(self) -> str:
        return self._log.read_text()

    def wait_for(self, text: str, limit: float = 15) -> None:
        def said() -> bool:
            assert self.process.poll() is None or text in self.text, self.text
            return text in self.text

        try:
            wait_until(said, limit, what=f"the runner says {text!r}")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.text}") from None

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(15)


@contextmanager
def running(project: Project, *command: str) -> Iterator[Running]:
    """`command` is `dlq run …` or `manage.py queue_runner …`, by its words after python."""
    log = project.directory / "runner.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=project.directory,
            env=project.env(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield Running(process, log)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(15)
                raise AssertionError(f"the runner did not stop:\n{log.read_text()}") from None
