"""The cost of observation: the import of settings with it and without, in pairs.

    python -m tests.benchmarks.observation [--rounds 15]

A package of 30 settings modules of 50 lines, each with star imports, dicts and lists that change,
and imports of what large projects import. Each import is a process of its own; CPU time is
compared, since other time is meaningless on a shared machine.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from tests.kit.environments import ROOT

MODULES = 30

THIRD_PARTY = [
    "django.contrib.auth.hashers",
    "django.core.mail",
    "django.db.models",
    "django.test",
    "django.views.debug",
    "hypothesis",
    "jsonschema",
    "psycopg",
    "pydantic",
    "pydantic_settings",
    "redis.asyncio",
    "rich.console",
    "rich.progress",
    "typer",
    "yaml",
    "asyncio",
    "concurrent.futures",
    "email.mime.multipart",
    "http.server",
    "logging.config",
    "multiprocessing.pool",
    "sqlite3",
    "unittest.mock",
    "urllib.request",
    "wsgiref.simple_server",
    "xml.dom.minidom",
    "xmlrpc.client",
]

RUN = """\
import sys, time
sys.path[:0] = sys.argv[2:]
from dlq.provenance.observer import observe
import importlib
action = lambda: importlib.import_module("conf.settings")
start = time.process_time()
if sys.argv[1] == "observed":
    observe(action, ["LIGHTWEIGHT_QUEUE_WORKERS"])
else:
    action()
print(time.process_time() - start)
"""


def write_package(directory: Path) -> None:
    package = directory / "conf"
    package.mkdir()
    (package / "__init__.py").touch()
    names = [f"part{number:02}" for number in range(MODULES - 1)]
    for number, name in enumerate([*names, "settings"]):
        lines = ["import os"]
        lines += [f"import {module}" for module in THIRD_PARTY[number :: MODULES - 1]]
        lines += [f"from .{names[number - 1]} import *"] if number else []
        lines += [f"{name.upper()}_{i} = os.environ.get('X{i}', {i})" for i in range(40)]
        lines += [f"{name.upper()}_TABLE = {{'a': 1, 'b': [1, 2, {number}]}}" for _ in range(5)]
        if number == 0:
            lines.append("LIGHTWEIGHT_QUEUE_WORKERS = {'emails': 3, 'images': 2}")
            lines.append(f"INSTALLED_APPS = {[f'app{i}' for i in range(60)]}")
        lines.append(f"LIGHTWEIGHT_QUEUE_WORKERS['queue{number}'] = {number}")
        lines.append(f"INSTALLED_APPS += ['more{number}']")
        lines.append(f"for each in range(3):\n    {name.upper()}_{number} = each")
        (package / f"{name}.py").write_text("\n".join(lines) + "\n")


def seconds(how: str, directory: Path) -> float:
    command = [sys.executable, "-c", RUN, how, str(directory), str(ROOT)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        write_package(directory)
        for how in ("plain", "observed"):
            seconds(how, directory)  # which writes the bytecode
        pairs = [
            (seconds("plain", directory), seconds("observed", directory)) for _ in range(rounds)
        ]
    plain, observed = (median(each) for each in zip(*pairs, strict=True))
    ratio = median(after / before for before, after in pairs)
    print(f"Python {sys.version.split()[0]}: {plain:.3f} s plain, {observed:.3f} s observed,"
          f" {ratio:.3f} x (median of {rounds} pairs, CPU time)")  # fmt: skip


if __name__ == "__main__":
    main()
