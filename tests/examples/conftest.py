"""The example project for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.examples.shop import Project
from tests.kit.valkey import Server
from tests.kit.warm import Warm


@pytest.fixture
def project(tmp_path: Path, warm: Warm) -> Project:
    return Project(tmp_path, warm)


@pytest.fixture
def project_with_server(project: Project, server: Server) -> Project:
    """Migrated, and pointed to an empty server."""
    project.extra["LIGHTWEIGHT_QUEUE_REDIS_PORT"] = str(server.port)
    assert project.run("python manage.py migrate --verbosity 0").code == 0
    return project
