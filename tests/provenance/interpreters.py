"""Other interpreters of this machine, for tests of code that depends on the Python version."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest


def _path(version: str) -> str | None:
    """Of an interpreter on the path, or of pyenv, whose commands answer only where they are
    chosen."""
    installed = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    return str(installed[-1]) if installed else shutil.which(f"python{version}")


def _parameter(version: str) -> object:
    path = _path(version)
    is_this = sys.version_info[:2] == tuple(map(int, version.split(".")))
    reason = "it is the Python of this test" if is_this else f"there is no Python {version} here"
    skip = pytest.mark.skipif(is_this or path is None, reason=reason)
    return pytest.param(path or "", id=version, marks=skip)


OTHERS = [_parameter(version) for version in ("3.11", "3.12", "3.13", "3.14")]
"""Parameters for tests, which are skipped with a reason."""
