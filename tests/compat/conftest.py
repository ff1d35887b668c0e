"""Environments that take long to install: one of each per run, whichever process installs it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compat.predecessor import THIRD_PARTY, install_predecessor
from tests.kit.environments import ROOT, Environment
from tests.kit.sharing import made_once
from tests.kit.warm import Warm


@pytest.fixture(scope="session")
def predecessor(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return Environment(made_once(tmp_path_factory, "predecessor", install_predecessor))


@pytest.fixture(scope="session")
def sides(predecessor: Environment, warm: Warm) -> Iterator[dict[str, Warm]]:
    """Interpreters that single commands of both are forked from."""
    old = Warm(predecessor.python, THIRD_PARTY, path=())
    yield {"old": old, "new": warm}
    old.close()


@pytest.fixture(scope="session")
def dependencies(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """What dlq says that it needs, without dlq. Tests install into copies."""
    return Environment(made_once(tmp_path_factory, "dependencies", _install_dependencies))


def _install_dependencies(directory: Path) -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        dependencies = tomllib.load(file)["project"]["dependencies"]
    environment = Environment(directory)
    environment.install(*dependencies)
    # Compiled here once, and not in each copy.
    environment.run(
        "-c", "import django.core.management, django.db, pydantic_settings, redis, typer"
    )
