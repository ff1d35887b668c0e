"""Cron rows in tests of users."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.test import override_settings

from dlq.testing import assert_cron_due, run_cron
from tests.project.settings import INSTALLED_APPS

MOMENT = datetime(2026, 11, 29, 8, 15, 30, tzinfo=UTC)
CLOCKWORK = [*INSTALLED_APPS, "tests.project.clockwork"]


def test_a_row_is_due_in_its_minute() -> None:
    with override_settings(INSTALLED_APPS=CLOCKWORK):
        assert_cron_due("strike", MOMENT)
        with pytest.raises(ValueError, match="has no time zone"):
            assert_cron_due("strike", MOMENT.replace(tzinfo=None))
        with pytest.raises(AssertionError, match=r"no cron\.py has a row with the command 'strke'"):
            assert_cron_due("strke", MOMENT)


def test_a_row_that_is_not_due_says_when_it_is() -> None:
    with (
        override_settings(INSTALLED_APPS=[*INSTALLED_APPS, "dlq.demo.shop"]),
        pytest.raises(AssertionError, match=r"but next: 2026-11-30 04:00 UTC, 2026-12-01 04:00"),
    ):
        assert_cron_due("expire_baskets", MOMENT)


def test_a_row_is_run_with_its_arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_LEDGER", str(tmp_path / "ledger"))
    with override_settings(INSTALLED_APPS=CLOCKWORK, LIGHTWEIGHT_QUEUE_ATOMIC_JOBS=False):
        run_cron("strike")
    assert "each minute" in (tmp_path / "ledger").read_text()
