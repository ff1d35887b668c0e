"""Job text from whoever can write to the server: it reaches people only escaped."""

from __future__ import annotations

import json
import os
import signal
import unicodedata
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.faults.conftest import dlq
from tests.kit.ports import free_ports
from tests.kit.waiting import wait_until
from tests.kit.warm import Warm
from tests.process.conftest import FailedJobs, Host

pytestmark = pytest.mark.chaos

EVIL = "\x1b[31m\x1b]0;title\x07\u202eevil\u2066\r\nfaults/1 | started, pid 1\x9b\x7f\x00[bold]"
PATH = f"tests.{EVIL}.task"


def hidden(text: str) -> list[str]:
    """The characters of a text that a person would not see, or that steer a terminal."""
    return sorted(
        {letter for letter in text if unicodedata.category(letter) in ("Cc", "Cf")} - set("\n")
    )


def test_the_text_is_hostile() -> None:
    """The other tests rely on it."""
    assert {"\x00", "\x07", "\x1b", "\x7f", "\x9b", "\r", "\u202e", "\u2066"} == set(hidden(EVIL))


def test_job_text_reaches_people_only_escaped(
    host: Host, failed_jobs: FailedJobs, warm: Warm
) -> None:
    port = free_ports(2)
    closed = host.directory / "before"
    closed.touch()
    host.push("quick", 1, path=PATH, kwargs={EVIL: EVIL})
    # A title behind the command line needs the room of the environment.
    runner = host.start(
        environment={"TEST_GATE": str(host.directory), "SPT_NOENV": ""},
        middleware=[
            "dlq.middleware.logging.LoggingMiddleware",
            "tests.project.faults.middleware.Gate",
        ],
        enable_prometheus=True,
        prometheus_start_port=port,
    )
    [held] = wait_until(lambda: host.ledger.events("held before"), 15)
    title = Path(f"/proc/{held.pid}/cmdline").read_text().rstrip("\0")
    assert "[dlq: faults/1 runs tests." in title
    assert hidden(title) == []
    os.kill(held.pid, signal.SIGKILL)
    wait_until(lambda: len(host.ledger.events("held before")) == 2)
    assert "killed by SIGKILL (out of memory?) while it ran tests." in runner.output

    closed.unlink()
    [failed] = wait_until(failed_jobs)
    assert failed.failure.kind == "unknown"
    host.push("raises", 2, args=[2], kwargs={EVIL: 1})
    host.push_raw(EVIL.encode("utf-8", "surrogatepass"))
    host.push("quick", 3)
    wait_until(lambda: host.ledger.events("end", "3"))
    assert len(failed_jobs()) == 3
    output = runner.output
    for page in (port, port + 1):
        with urlopen(f"http://127.0.0.1:{page}/metrics", timeout=5) as answer:
            output += answer.read().decode()
    output += dlq(warm, runner, "failed", "list") + dlq(
        warm, runner, "failed", "list", "--format", "json"
    )
    for entry in json.loads(dlq(warm, runner, "failed", "list", "--format", "json"))["jobs"]:
        output += dlq(warm, runner, "failed", "show", entry["id"])
    output += dlq(warm, runner, "failed", "retry", "--all", "--yes")
    assert hidden(output) == []
    assert output.count("\\x1b[31m") >= 4, "it is there, and escaped"
    fakes = [line for line in output.splitlines() if line == "faults/1 | started, pid 1"]
    assert fakes == [], "no line of a job's making"


def test_names_of_queues_reach_people_only_escaped(host: Host, warm: Warm) -> None:
    host.client.lpush(f"django_lightweight_queue:q{EVIL}", b"one")
    host.client.lpush(f"django_lightweight_queue:q{EVIL}:processing:1", b"one")
    host.client.xadd(f"dlq:failed:q{EVIL}", {"raw": EVIL.encode(), "reason": EVIL, "kind": EVIL})
    runner = host.run()
    runner.wait_for_line("W403")
    output = runner.output
    for words in (("status",), ("status", "--format", "json"), ("failed", "list")):
        output += dlq(warm, runner, *words)
    assert hidden(output) == []
    assert output.count("\\x1b[31m") >= 3
