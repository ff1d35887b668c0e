"""What a type checker sees of a task: its function's own arguments, and the call-time options."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.kit.environments import ROOT

CODE = """\
from __future__ import annotations

from typing import assert_type

from dlq import TaskWrapper, task


@task(queue="emails", timeout=30)
def send(order_id: int, *, subject: str = "") -> float:
    return 1.0


@task()
async def later(name: str) -> None: ...


assert_type(send.fn(1), float)
send(1)
send(1, subject="x")
send("x")  # wrong
send(1, subject=2)  # wrong
send(1, 2)  # wrong
send()  # wrong
later("x")
later(1)  # wrong
send(1, django_lightweight_queue_queue="other")
send(1, django_lightweight_queue_timeout=None, django_lightweight_queue_sigkill_on_stop=True)
send(1, django_lightweight_queue_queue=None)  # wrong
send(1, django_lightweight_queue_timeout="x")  # wrong
send.on_commit(1)
send.on_commit("x")  # wrong
with send.bulk_enqueue() as enqueue:
    enqueue(1)
    enqueue("x")  # wrong
    enqueue(1, django_lightweight_queue_sigkill_on_stop=True)


def takes(wrapper: TaskWrapper[..., float]) -> None: ...


takes(send)
takes(later)  # wrong
"""


def test_calls_of_a_task_are_checked_against_its_function(tmp_path: Path) -> None:
    file = tmp_path / "code.py"
    file.write_text(CODE)
    config = tmp_path / "mypy.ini"
    config.write_text("[mypy]\nstrict = True\nfollow_imports = silent\n")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", config, "--cache-dir", tmp_path, file],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=300,
    )
    found = {int(line) for line in re.findall(r"code\.py:(\d+): error", done.stdout)}
    lines = enumerate(CODE.splitlines(), 1)
    assert found == {number for number, line in lines if "# wrong" in line}, done.stdout
