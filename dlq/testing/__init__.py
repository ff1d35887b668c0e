"""Tests of projects that use dlq: captured jobs, cron rows, and a suite for own backends.

    from dlq.testing import captured_jobs

    def test_an_order_is_confirmed(client):
        with captured_jobs() as jobs:
            client.post("/orders/", {"article": 3})
        jobs.assert_enqueued(confirm, 81, queue="emails")
        jobs.run()

With pytest, the fixture `dlq_jobs` is there without an import. Nothing of it is loaded until used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlq.testing.backend_contract import BackendContract
    from dlq.testing.captured import CapturedJob, CapturedJobs, captured_jobs
    from dlq.testing.cron_rows import assert_cron_due, run_cron
    from dlq.testing.unittest_mixin import DlqTestMixin

__all__ = (
    "BackendContract",
    "CapturedJob",
    "CapturedJobs",
    "DlqTestMixin",
    "assert_cron_due",
    "captured_jobs",
    "run_cron",
)

_MODULES = {
    "BackendContract": "backend_contract",
    "CapturedJob": "captured",
    "CapturedJobs": "captured",
    "DlqTestMixin": "unittest_mixin",
    "assert_cron_due": "cron_rows",
    "captured_jobs": "captured",
    "run_cron": "cron_rows",
}


def __getattr__(name: str) -> object:
    if name in _MODULES:
        from importlib import import_module

        value: object = getattr(import_module(f"dlq.testing.{_MODULES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
