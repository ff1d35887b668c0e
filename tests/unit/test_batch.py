"""A batch is a sequence of the jobs that were added, and has their stored forms at hand."""

from __future__ import annotations

import pytest

from dlq.errors import UnusableArgument
from dlq.job import Job, decode, encode
from dlq.jobs.batch import Batch


@pytest.fixture
def batch() -> Batch:
    made = Batch()
    for number in range(4):
        made.add("orders.tasks.confirm", (number,), {"again": True}, 30, number == 3)
    return made


def test_its_jobs_are_what_was_added(batch: Batch) -> None:
    assert len(batch) == 4
    assert [job.args for job in batch] == [(0,), (1,), (2,), (3,)]
    last = batch[-1]
    assert (last.path, last.kwargs) == ("orders.tasks.confirm", {"again": True})
    assert (last.timeout, last.sigkill_on_stop) == (30, True)
    assert last in batch


def test_its_stored_forms_are_those_of_its_jobs(batch: Batch) -> None:
    assert batch.raws == [encode(job) for job in batch]
    for job in batch:
        content = (job.path, job.args, job.kwargs, job.timeout, job.sigkill_on_stop)
        anew = Job(*content, created_time=job.created_time)
        assert encode(anew) == job.raw
        assert decode(encode(anew)).created_time == job.created_time


def test_a_part_of_it_is_a_list_of_jobs(batch: Batch) -> None:
    assert [job.args for job in batch[1:3]] == [(1,), (2,)]


def test_what_cannot_be_stored_is_not_added(batch: Batch) -> None:
    with pytest.raises(UnusableArgument, match=r"^orders\.tasks\.confirm: "):
        batch.add("orders.tasks.confirm", (object(),), {}, None, False)
    assert len(batch) == len(batch.raws) == len(list(batch)) == 4
