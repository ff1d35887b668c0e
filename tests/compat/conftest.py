"""One environment with 4.11 per run of the tests, whichever process installs it."""

from __future__ import annotations

import pytest

from tests.compat.predecessor import install_predecessor
from tests.kit.environments import Environment
from tests.kit.sharing import made_once


@pytest.fixture(scope="session")
def predecessor(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return Environment(made_once(tmp_path_factory, "predecessor", install_predecessor))
