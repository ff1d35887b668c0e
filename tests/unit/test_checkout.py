"""Finding the root of the repository that the working directory lies in."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlq.diagnostics.repository import repository_root


@pytest.mark.parametrize("is_file", [False, True])
def test_the_nearest_git_directory_or_file_marks_the_root(tmp_path: Path, is_file: bool) -> None:
    inner = tmp_path / "repository" / "backend" / "shop"
    inner.mkdir(parents=True)
    mark = tmp_path / "repository" / ".git"
    if is_file:
        mark.write_text("gitdir: elsewhere")
    else:
        mark.mkdir()
    assert repository_root(inner) == tmp_path / "repository"
    assert repository_root(tmp_path / "repository") == tmp_path / "repository"


def test_outside_of_a_repository_there_is_none(tmp_path: Path) -> None:
    assert repository_root(tmp_path) is None
