"""The task behind every cron job: what it runs, what it refuses, and in which transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from dlq.cron.rows.row import parse_row
from dlq.execution.find_task import find_task
from dlq.job import Job
from dlq.scheduler.execute import PATH, CommandNotAllowed, execute, is_atomic
from dlq.scheduler.scheduler import job_of
from dlq.types import QueueName, WorkerNumber
from tests.cron.files import command, installed

NOTE = """\
from pathlib import Path
from django.core.management.base import BaseCommand
from django.db import connection

class Command(BaseCommand):
    def add_arguments(self, parser):
        parser.add_argument("words", nargs="*")
        parser.add_argument("--name", default="")

    def handle(self, *args, words, name, **options):
        text = " ".join(words) + "|" + name + "|" + str(connection.in_atomic_block)
        Path(PLACE).write_text(text)
"""


@contextmanager
def project(folder: Path, rows: str) -> Iterator[Path]:
    """An app with these rows and a command `note`; where the command writes what it was given."""
    place = folder / "noted"
    text = NOTE.replace("PLACE", repr(str(place)))
    with installed(folder, shop=f"CONFIG = [{rows}]"), command(folder / "shop", "note", text):
        yield place


def test_the_task_has_the_path_of_411_and_its_queue() -> None:
    assert execute.path == PATH == "django_lightweight_queue.cron_scheduler.execute"
    assert execute.queue == "default"
    assert find_task(PATH) is execute


def test_a_row_s_job_is_that_of_411() -> None:
    row = parse_row(
        {
            "command": "note",
            "minutes": "0",
            "hours": "*",
            "timeout": 30,
            "sigkill_on_stop": True,
            "command_args": ["a", 1],
            "command_kwargs": {"name": "b"},
            "atomic": False,
        }
    )
    content = job_of(row).as_dict()
    assert content.pop("created_time")
    assert content == {
        "path": "django_lightweight_queue.cron_scheduler.execute",
        "args": ["note", "a", 1],
        "kwargs": {"name": "b"},
        "timeout": 30,
        "sigkill_on_stop": True,
    }


@pytest.mark.django_db(transaction=True)
def test_a_job_runs_the_command_with_its_arguments(tmp_path: Path) -> None:
    with project(tmp_path, '{"command": "note", "schedule": "* * * * *"}') as place:
        job = Job(PATH, ["note", "a", 1], {"name": "b"})
        assert job.run(queue=QueueName("cron"), worker_num=WorkerNumber(1))
        assert place.read_text().startswith("a 1|b|")


@pytest.mark.django_db(transaction=True)
def test_only_commands_that_a_row_or_the_setting_names_are_run(tmp_path: Path) -> None:
    with project(tmp_path, '{"command": "check", "schedule": "* * * * *"}') as place:
        with pytest.raises(CommandNotAllowed, match="LIGHTWEIGHT_QUEUE_CRON_COMMANDS"):
            execute.fn("note")
        assert not place.exists()
        with override_settings(LIGHTWEIGHT_QUEUE_CRON_COMMANDS=["note"]):
            execute.fn("note")
        assert place.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("row", "setting", "expected"),
    [
        ("", True, "True"),
        ("", False, "False"),
        (', "atomic": True', False, "True"),
        (', "atomic": False', True, "False"),
    ],
)
def test_the_row_says_whether_its_command_runs_in_a_transaction(
    tmp_path: Path, row: str, setting: bool, expected: str
) -> None:
    rows = '{"command": "note", "schedule": "* * * * *"' + row + "}"
    with (
        project(tmp_path, rows) as place,
        override_settings(LIGHTWEIGHT_QUEUE_ATOMIC_JOBS=setting),
    ):
        assert Job(PATH, ["note"], {}).run(queue=QueueName("cron"), worker_num=WorkerNumber(1))
        assert place.read_text() == f"||{expected}"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("end", "succeeds"), [("0", True), ("None", True), ("1", False), ("'no such file'", False)]
)
def test_a_command_may_end_with_an_exit_status(tmp_path: Path, end: str, succeeds: bool) -> None:
    """As programs do: 0 is success, and what the command has written is committed."""
    from django.contrib.contenttypes.models import ContentType

    text = (
        "import sys\n"
        "from django.core.management.base import BaseCommand\n"
        "from django.contrib.contenttypes.models import ContentType\n"
        "class Command(BaseCommand):\n"
        "    def handle(self, *args, **options):\n"
        "        ContentType.objects.create(app_label='cron', model='written')\n"
        f"        sys.exit({end})\n"
    )
    rows = '[{"command": "ends", "schedule": "* * * * *", "atomic": True}]'
    with (
        installed(tmp_path, shop=f"CONFIG = {rows}"),
        command(tmp_path / "shop", "ends", text),
    ):
        job = Job(PATH, ["ends"], {})
        assert job.run(queue=QueueName("cron"), worker_num=WorkerNumber(1)) is succeeds
    written = ContentType.objects.filter(app_label="cron")
    assert written.exists() is succeeds
    written.delete()


@pytest.mark.parametrize(
    ("args", "kwargs", "atomic"),
    [
        ([], {}, True),
        (["a", ["b"]], {}, False),
        ([], {"x": [1]}, False),
        (["unknown"], {}, True),
    ],
)
def test_the_row_with_the_same_arguments_counts_before_others(
    args: list[Any], kwargs: dict[str, Any], atomic: bool
) -> None:
    base = {"command": "note", "schedule": "* * * * *"}
    rows = [
        parse_row({**base, "atomic": True}),
        parse_row({**base, "atomic": False, "command_args": ("a", ("b",))}),
        parse_row({**base, "atomic": False, "command_kwargs": {"x": (1,)}}),
    ]
    assert is_atomic(rows, "note", args, kwargs, default=True) is atomic
    assert is_atomic(rows, "other", args, kwargs, default=False) is False
