"""The backend for a look at one job: it runs nothing, and prints where a browser can."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from dlq.backends.base import BaseBackend
from dlq.config import active
from dlq.job import Job
from dlq.jobs.placement import Placement
from dlq.types import QueueName, WorkerNumber

if TYPE_CHECKING:
    from dlq.config.settings import Settings  # the debug view imports this module with the URLs

SIGNING_SALT = "dlq.debug_web"
"""The debug view runs no job but those that this process has signed."""


class DebugWebBackend(BaseBackend):
    """Prints the address of the debug view, with the job in it."""

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = settings or active.settings()

    def enqueue(self, job: Job, queue: QueueName) -> None:
        from django.core import signing
        from django.urls import reverse

        signed = signing.dumps(job.to_json(), salt=SIGNING_SALT)
        path = reverse("django-lightweight-queue:debug-run")
        print(f"{self._settings.site_url.rstrip('/')}{path}?{urlencode({'job': signed})}")

    def store(
        self, jobs: Sequence[Job], queue: QueueName, placement: Placement, locks: Sequence[str]
    ) -> int:
        """Print their addresses at once: a person decides when they run."""
        self.bulk_enqueue(jobs, queue)
        return len(jobs)

    def dequeue(self, queue: QueueName, worker_num: WorkerNumber, timeout: int) -> Job | None:
        time.sleep(timeout)
        return None

    def length(self, queue: QueueName) -> int:
        return 0
