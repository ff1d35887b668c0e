"""A mixin for unittest that captures the jobs of each test."""

from __future__ import annotations

import unittest
from typing import Any

from dlq.testing.captured import CapturedJobs, captured_jobs


class DlqTestMixin(unittest.TestCase):
    """Put it before Django's class: `class OrderTest(DlqTestMixin, TestCase)`. `dlq_jobs` are the
    jobs that the test enqueues."""

    dlq_jobs: CapturedJobs

    def setUp(self) -> None:
        super().setUp()
        self.dlq_jobs = self.enterContext(captured_jobs())

    def assert_enqueued(self, task: Any, *args: Any, **options: Any) -> None:
        """See `CapturedJobs.assert_enqueued`."""
        self.dlq_jobs.assert_enqueued(task, *args, **options)

    def refute_enqueued(self, task: Any, *args: Any, **options: Any) -> None:
        """See `CapturedJobs.refute_enqueued`."""
        self.dlq_jobs.refute_enqueued(task, *args, **options)

    def run_jobs(self, *, retries: bool = False) -> int:
        """See `CapturedJobs.run`."""
        return self.dlq_jobs.run(retries=retries)
