"""Tasks of a module that needs what the worker's environment does not have."""

from __future__ import annotations

import os

from dlq import task

TOKEN = os.environ["A_VARIABLE_OF_THE_WEB_PROCESS"]


@task(queue="retried", retries=2, retry_backoff=0.2)
def uses_token(job: int) -> None:
    """Never runs."""
