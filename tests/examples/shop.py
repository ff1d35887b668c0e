"""The example project, run by the dlq under test, with its files in a temporary directory."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.kit.environments import ROOT
from tests.kit.warm import Warm

EXAMPLES = ROOT / "config-examples"
SHOP = EXAMPLES / "shop"

PLAIN = re.compile(r"(dlq|python) [\w ./=:-]+")
"""A command line that needs no shell."""


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


@dataclass
class Project:
    """Commands run in `directory` (the shop, if not given) with `dlq` and `python` on the PATH."""

    temporary: Path
    warm: Warm
    directory: Path = SHOP
    extra: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """`dlq` and `python` are those under test, whatever the machine has."""
        programs = self.temporary / "programs"
        programs.mkdir(exist_ok=True)
        for name, words in {"dlq": "-m dlq", "python": ""}.items():
            program = programs / name
            program.write_text(f'#!/bin/sh\nexec "{sys.executable}" {words} "$@"\n')
            program.chmod(0o755)

    @property
    def environment(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("LIGHTWEIGHT_QUEUE_", "DJANGO_"))
        }
        return {
            **kept,
            "PATH": f"{self.temporary / 'programs'}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "dlq" / "_alias"))),
            "PYTHONDONTWRITEBYTECODE": "1",
            "NO_COLOR": "1",
            "SHOP_DATABASE": str(self.temporary / "db.sqlite3"),
            "SHOP_MAIL": str(self.temporary / "mail"),
            **self.extra,
        }

    def run(self, command: str, limit: float = 60) -> Done:
        """A command that needs no shell is a process of its own too, forked from a warm one."""
        if PLAIN.fullmatch(command):
            program, *words = shlex.split(command)
            words = ["-m", "dlq", *words] if program == "dlq" else words
            return Done(*self.warm.run(words, cwd=self.directory, env=self.environment))
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=limit,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def start(self, command: str) -> subprocess.Popen[str]:
        """In a session of its own. Output goes to `temporary`/output."""
        with (self.temporary / "output").open("ab") as output:
            return subprocess.Popen(
                ["/bin/sh", "-c", command],
                cwd=self.directory,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                text=True,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        return (self.temporary / "output").read_text()
