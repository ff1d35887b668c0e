"""Each system's own virtual environment: made once, kept in the cache, told by its versions."""

from __future__ import annotations

import compileall
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""Of this project, which the benchmarks' Django project and dlq itself are imported from."""

PROJECT = "tests.benchmarks.project"


@dataclass(frozen=True, slots=True)
class Environment:
    directory: Path

    @property
    def python(self) -> str:
        return str(self.directory / "bin" / "python")

    def tool(self, name: str) -> str:
        """A console script of the environment."""
        return str(self.directory / "bin" / name)

    def manage(self, *arguments: str) -> list[str]:
        return [self.python, str(ROOT / "tests/benchmarks/project/manage.py"), *arguments]

    def versions(self, distributions: Sequence[str]) -> dict[str, str]:
        listing = subprocess.run(
            [self.python, "-m", "pip", "list", "--format=json", "--disable-pip-version-check"],
            check=True,
            capture_output=True,
        )
        installed = {
            entry["name"].lower().replace("_", "-"): entry["version"]
            for entry in json.loads(listing.stdout)
        }
        return {name: installed[name] for name in distributions}


def prepare(cache: Path, name: str, requirements: Sequence[str]) -> Environment:
    """The environment with these requirements; an older one with others is made anew."""
    environment = Environment(cache / f"{name}-{sys.version_info.major}.{sys.version_info.minor}")
    stamp = environment.directory / "requirements.json"
    wanted = json.dumps(list(requirements))
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"installing {name}: {' '.join(requirements)}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", environment.directory], check=True)
        subprocess.run(
            [environment.python, "-m", "pip", "install", "--quiet", *requirements], check=True
        )
        stamp.write_text(wanted)
    return environment


def compile_sources() -> None:
    """As pip does with what it installs. The variables of whoever calls us may keep Python from
    doing it by itself, and then dlq alone would be compiled anew at each start."""
    for directory in ("dlq", "tests/benchmarks"):
        compileall.compile_dir(ROOT / directory, quiet=1)


def variables(extra: Mapping[str, str]) -> dict[str, str]:
    """What a process of a system finds in its environment. LIGHTWEIGHT_QUEUE_* variables of the
    caller go through, so that a setting can be varied from outside."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": f"{PROJECT}.settings",
        "PYTHONPATH": str(ROOT),
        **extra,
    }
