"""Settings whose import registers an exit handler, as libraries do that send what they collect."""

from __future__ import annotations

import atexit

from tests.kit.ledger import record
from tests.project.faults.settings import *  # noqa: F403 (as Django projects layer their settings)

atexit.register(record, "flushed")
