"""Collections of garbage are put off while a command imports, and go on as they were."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from dlq.process.posix.startup import put_off_collections, resume_collections


@pytest.fixture(autouse=True)
def _thresholds() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_nothing_is_collected_until_it_is_resumed() -> None:
    before = gc.get_threshold()
    put_off_collections()
    put_off_collections()
    runs = [generation["collections"] for generation in gc.get_stats()]
    cycles: list[list[object]] = [[] for _ in range(20_000)]
    for cycle in cycles:
        cycle.append(cycle)
    assert [generation["collections"] for generation in gc.get_stats()] == runs
    resume_collections()
    assert gc.get_threshold() == before


@pytest.mark.parametrize("thresholds", [(0, 10, 10), (50_000, 20, 100)])
def test_what_the_project_sets_meanwhile_is_left_alone(thresholds: tuple[int, int, int]) -> None:
    put_off_collections()
    gc.set_threshold(*thresholds)
    resume_collections()
    assert gc.get_threshold() == thresholds


def test_a_process_without_collections_stays_so() -> None:
    gc.set_threshold(0)
    put_off_collections()
    assert gc.get_threshold()[0] == 0
    resume_collections()
    assert gc.get_threshold()[0] == 0
