"""Fresh virtual environments, with real installs from the package index that pip is set up for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""Of the checkout."""


class Environment:
    """A virtual environment without a pip of its own: the tests' own pip installs into it. Made,
    where it is not there yet."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        if not (directory / "pyvenv.cfg").exists():
            run([sys.executable, "-m", "venv", "--without-pip", str(directory)])

    @property
    def python(self) -> str:
        return self.program("python")

    @property
    def packages(self) -> Path:
        (found,) = self.directory.glob("lib/python*/site-packages")
        return found

    def copy(self, directory: Path) -> Environment:
        """Another environment with the same packages, but not their programs."""
        copy = Environment(directory)
        shutil.copytree(self.packages, copy.packages, copy_function=os.link, dirs_exist_ok=True)
        return copy

    def program(self, name: str) -> str:
        return str(self.directory / "bin" / name)

    def install(self, *requirements: str) -> None:
        run([*_pip(), "--python", self.python, "install", "--quiet", "--no-compile", *requirements])

    def uninstall(self, distribution: str) -> None:
        run([*_pip(), "--python", self.python, "uninstall", "--quiet", "--yes", distribution])

    def run(
        self,
        *command: str,
        cwd: Path | None = None,
        env: dict[str, str] | None = None,
        code: int = 0,
    ) -> str:
        """Standard output of a program of this environment, or of its Python (`-c`, `-m`)."""
        first = self.python if command[0].startswith("-") else self.program(command[0])
        rest = command if command[0].startswith("-") else command[1:]
        return run([first, *rest], cwd=cwd, env=env, code=code)


def run(
    command: list[str],
    *,
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
    input: str | None = None,
    code: int = 0,
) -> str:
    """Fails the test with all that the command printed, where it doesn't exit with `code`."""
    # Without bytecode each process would compile Django anew.
    kept_out = {
        "PYTHONPATH",
        "PYTHONDONTWRITEBYTECODE",
        "DJANGO_SETTINGS_MODULE",
        "VIRTUAL_ENV",
    }
    inherited = {name: value for name, value in os.environ.items() if name not in kept_out}
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**inherited, **(env or {})},
        input=input,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == code, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@cache
def _pip() -> list[str]:
    """Environments made as the README says have no pip; the interpreter below them has."""
    for python in (sys.executable, getattr(sys, "_base_executable", sys.executable)):
        answer = subprocess.run([python, "-m", "pip", "--version"], capture_output=True)
        if answer.returncode == 0:
            return [python, "-m", "pip", "--disable-pip-version-check"]
    raise AssertionError("neither this Python nor the one below it has pip")
