"""The pytest plugin: the fixture `dlq_jobs`. pytest loads this module in every project that has dlq
installed, so it imports nothing of dlq until a test asks for the fixture."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from dlq.testing.captured import CapturedJobs


@pytest.fixture
def dlq_jobs() -> Iterator[CapturedJobs]:
    """Jobs that the test enqueues, captured instead of stored: `dlq_jobs.assert_enqueued(confirm,
    81)`, `dlq_jobs.run()`."""
    from dlq.testing.captured import captured_jobs

    with captured_jobs() as jobs:
        yield jobs
