"""Starter files, copied from the package into a project. Nothing that exists is overwritten."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from dlq.errors import UsageError


class Starter(NamedTuple):
    """`name` in the package's starters, `target` in the project."""

    name: str
    target: str
    purpose: str


class Written(NamedTuple):
    path: str
    is_new: bool
    purpose: str


PYTHON = Starter(
    "overrides.py", "dlq-overrides.py", "override file: its WORKERS is the whole truth"
)
TOML = Starter("overrides.toml", "dlq-overrides.toml", PYTHON.purpose)
OTHERS = (
    Starter("cron.py", "cron.py", "cron rows: put it into the directory of an app"),
    Starter("dlq.service", "dlq.service", "systemd unit: copy to /etc/systemd/system"),
    Starter("ci.yml", "dlq-ci.yml", "CI job: `dlq check` on each push"),
)


def write_starters(directory: str, *, toml: bool) -> list[Written]:
    """What was written, the override file first. Raises UsageError, and then has written no more
    than the files before."""
    target = Path(directory)
    if not target.is_dir():
        raise UsageError(f"--directory {directory}: no such directory ({target.absolute()})")
    return [_write(starter, target) for starter in (TOML if toml else PYTHON, *OTHERS)]


def _write(starter: Starter, directory: Path) -> Written:
    path = directory / starter.target
    content = files("dlq").joinpath("starters", starter.name).read_bytes()
    try:
        # Mode x: whoever makes the file between a look and the writing keeps it.
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError:
        return Written(str(path), False, "exists, not touched")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror} (errno {error.errno})") from None
    return Written(str(path), True, starter.purpose)
