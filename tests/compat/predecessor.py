"""The real django-lightweight-queue 4.11 in an environment of its own, and the project for both."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.kit.environments import ROOT, Environment
from tests.kit.valkey import Server
from tests.kit.waiting import wait_until
from tests.kit.warm import Warm

SHOP = Path(__file__).parent / "shop"

THIRD_PARTY = """
    django.core.checks django.core.management django.db.models django.shortcuts
    prometheus_client.exposition redis
"""
"""What 4.11 imports that isn't its own."""

STOP = {"old": signal.SIGUSR2, "new": signal.SIGTERM}
"""How a worker is told to end after its job, by the supervisor or an operator."""


def install_predecessor(directory: Path) -> Environment:
    """Its 4.11.0 needs redis-py before 5."""
    environment = Environment(directory)
    environment.install("django-lightweight-queue[redis]==4.11", "redis<5")
    # Compiled here, before several processes do it at the same time.
    environment.run("-c", f"import {', '.join(THIRD_PARTY.split())}")
    return environment


@dataclass
class Shop:
    """The project in tests/compat/shop, run by `old` (4.11) or `new` (dlq) against one server."""

    pythons: dict[str, str]
    warm: dict[str, Warm]
    server: Server
    backend: str
    prefix: str
    directory: Path
    workers: dict[str, int] = field(default_factory=lambda: {"emails": 1})

    @property
    def reliable(self) -> bool:
        return "reliable" in self.backend

    def key(self, rest: str) -> str:
        key = f"django_lightweight_queue:{rest}"
        return f"{self.prefix}:{key}" if self.prefix else key

    def entries(self) -> list[tuple[int, str, Any]]:
        """Of the ledger: pid, event, what. A line that is still being written is left for later."""
        path = self.directory / "ledger"
        text = path.read_text() if path.exists() else ""
        return [tuple(json.loads(line)) for line in text[: text.rfind("\n") + 1].splitlines()]

    def ledger(self, event: str) -> list[Any]:
        return [what for _, named, what in self.entries() if named == event]

    def pids(self, event: str) -> list[int]:
        """Of the processes that wrote the event."""
        return [pid for pid, named, _ in self.entries() if named == event]

    def drive(self, side: str, verb: str, **arguments: Any) -> Any:
        answer = self._run(side, "drive.py", verb, json.dumps(arguments))
        return json.loads(answer) if answer else None

    def manage(self, side: str, *arguments: str) -> str:
        return self._run(side, "manage.py", *arguments)

    def _run(self, side: str, *words: str) -> str:
        environment = {**os.environ, **self._environment(side)}
        code, out, err = self.warm[side].run(words, cwd=SHOP, env=environment)
        assert code == 0, f"{side}: {words}\n{out}\n{err}"
        return out

    @contextmanager
    def process(self, side: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """`manage.py` with `arguments`, in a session of its own; killed at the end."""
        log = self.directory / f"{side}-{'-'.join(arguments[:3])}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                [self.pythons[side], "manage.py", *arguments],
                cwd=SHOP,
                env={**os.environ, **self._environment(side)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            yield process
        except BaseException:
            print(log, log.read_text(), sep="\n")
            raise
        finally:
            kill_session(process)

    def worker(self, side: str, queue: str = "emails", number: int = 1) -> Any:
        return self.process(side, "queue_worker", queue, str(number))

    def _environment(self, side: str) -> dict[str, str]:
        paths = [ROOT, ROOT / "dlq" / "_alias"] if side == "new" else []
        return {
            "DJANGO_SETTINGS_MODULE": "settings",
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
            "PYTHONWARNINGS": "ignore::DeprecationWarning",
            "SHOP_BACKEND": self.backend,
            "SHOP_LEDGER": str(self.directory / "ledger"),
            "SHOP_PORT": str(self.server.port),
            "SHOP_PREFIX": self.prefix,
            "SHOP_WORKERS": json.dumps(self.workers),
        }


def stop(side: str, process: subprocess.Popen[bytes]) -> None:
    process.send_signal(STOP[side])
    process.wait(30)


def kill_worker(process: subprocess.Popen[bytes], shop: Shop) -> None:
    """Kill what `process` is and the process that began the last job: dlq runs jobs in a group of
    their own, whose process ends its job when only the one above it is gone."""
    pid = shop.pids("begin")[-1]
    kill_session(process)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not is_running(pid), 10, what="the job's process is gone")


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def kill_session(process: subprocess.Popen[bytes]) -> None:
    """It was started as the leader of a session: its children go with it."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


def pythons(predecessor: Environment) -> dict[str, str]:
    return {"old": predecessor.python, "new": sys.executable}
