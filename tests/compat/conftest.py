"""One environment with 4.11 per run of the tests."""

from __future__ import annotations

import pytest

from tests.compat.predecessor import install_predecessor
from tests.kit.environments import Environment


@pytest.fixture(scope="session")
def predecessor(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return install_predecessor(tmp_path_factory.mktemp("predecessor") / "venv")
