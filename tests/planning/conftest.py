"""The projects of the command tests, for verbs about plans."""

from __future__ import annotations

from tests.cli.conftest import live, project

__all__ = ["live", "project"]
