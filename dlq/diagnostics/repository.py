"""The root of the repository: services that show findings at their lines know files by their paths
from there."""

from __future__ import annotations

from pathlib import Path


def repository_root(start: Path) -> Path | None:
    """The nearest directory with a `.git`, from `start` upwards. (In a worktree or a submodule that
    is a file.) None outside of a repository."""
    start = start.absolute()
    return next((path for path in (start, *start.parents) if (path / ".git").exists()), None)
