"""What verbs print on a terminal: it fits, it has colour where that is wanted, and it asks."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections import Counter
from collections.abc import Callable, Sequence

import pytest

from tests.cli.conftest import Project
from tests.cli.running import running
from tests.cli.test_queues import enqueue
from tests.kit.valkey import Server


def in_terminal(
    project: Project,
    words: Sequence[str],
    *,
    columns: int = 100,
    environment: dict[str, str] | None = None,
    typed: str = "",
    interrupt_when: Callable[[str], bool] = lambda shown: False,
) -> str:
    """What `dlq` writes to a terminal of 24 lines on which `typed` is typed."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "dlq", *words],
        cwd=project.directory,
        env=project.env({"TERM": "xterm-256color", **(environment or {})}),
        stdin=follower,
        stdout=follower,
        stderr=follower,
        start_new_session=True,
    )
    os.close(follower)
    os.write(leader, typed.encode())
    shown, interrupted = b"", False
    end = time.monotonic() + 30
    try:
        while time.monotonic() < end:
            if not select.select([leader], [], [], 1)[0]:
                continue
            try:
                piece = os.read(leader, 65536)
            except OSError:  # Linux says so when the last writer has closed
                break
            if not piece:
                break
            shown += piece
            if not interrupted and interrupt_when(shown.decode(errors="replace")):
                process.send_signal(signal.SIGINT)
                interrupted = True
    finally:
        process.kill()
        process.wait(10)
        os.close(leader)
    return shown.decode().replace("\r\n", "\n")


def test_markup_of_users_is_text(project: Project) -> None:
    project.write("config/markup.py", 'LIGHTWEIGHT_QUEUE_WORKERS = {"a/red": 1, "b": -1}\n')
    shown = in_terminal(project, ["check", "--config", "config/markup.py"])
    assert '{"a/red": 1, "b": -1}' in shown


def test_a_terminal_gets_colour_and_folded_columns(project: Project) -> None:
    shown = in_terminal(project, ["config", "show"], columns=80)
    assert "\x1b[1m" in shown
    for name in ("PROMETHEUS_START_PORT", "REDIS_SOCKET_TIMEOUT", "shop/base.py:4"):
        assert name in shown, "a name was squeezed"
    assert "…" not in shown


@pytest.mark.parametrize("quiet", ["NO_COLOR", "--no-color"])
def test_no_colour_when_it_is_not_wanted(project: Project, quiet: str) -> None:
    project.write("config/bad.py", 'LIGHTWEIGHT_QUEUE_WORKERS = {"b": -1}\n')
    words = ["check", "--config", "config/bad.py"]
    environment = {"NO_COLOR": "1"} if quiet == "NO_COLOR" else {}
    if quiet == "--no-color":
        words.append(quiet)
    shown = in_terminal(project, words, environment=environment)
    assert "error[dlq.E101]" in shown
    assert "\x1b[" not in shown


def test_a_terminal_is_asked_before_jobs_are_dropped(live: Project, server: Server) -> None:
    with server.client() as client:
        client.lpush("django_lightweight_queue:emails", b"{}")
        shown = in_terminal(live, ["clear", "emails"], typed="n\n")
        assert "Clear 1 job from emails? [y/N]" in shown
        assert "Nothing was done." in shown
        assert client.llen("django_lightweight_queue:emails") == 1
        shown = in_terminal(live, ["clear", "emails"], typed="y\n")
        assert "Cleared 1 job from queue emails." in shown
        assert client.llen("django_lightweight_queue:emails") == 0


def test_a_narrow_terminal_loses_no_letter(project: Project) -> None:
    """Columns fold or run on; none is cut. The wide piped form says what there is to see."""
    wide = project.dlq("config", "show", "--config", "config/special.py").out
    for columns in (40, 60, 80, 100, 130):
        shown = in_terminal(
            project,
            ["--no-color", "config", "show", "--config", "config/special.py"],
            columns=columns,
        )
        assert "\x1b" not in shown
        assert letters(shown) == letters(wide), columns


def test_no_color_on_a_terminal_is_plain_text(project: Project) -> None:
    for words, environment in ((["plan"], {"NO_COLOR": "1"}), (["--no-color", "plan"], {})):
        shown = in_terminal(project, words, environment=environment)
        assert "\x1b" not in shown
        assert "COUNT FROM" in shown
    assert "\x1b[1m" in in_terminal(project, ["plan"])


def letters(text: str) -> dict[str, int]:
    """How often each is there, whatever is between them."""
    return Counter(letter for letter in text if letter not in " \n─")


ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")

LONG = """
LIGHTWEIGHT_QUEUE_WORKERS = {
    "emails_of_the_marketing_department": 30,
    "images": 2,
    "reports": 1,
}
LIGHTWEIGHT_QUEUE_SITE_URL = "https://a-rather-long-name-of-a-host.example.org:8443/under/a/path"
"""


@pytest.mark.parametrize(
    "words",
    [
        ["plan"],
        ["plan", "--machine", "1", "--of", "3"],
        ["plan", "--of", "3"],
        ["plan", "--of", "9"],
        ["config", "show"],
        ["config", "explain", "WORKERS"],
        ["cron", "next", "--count", "2"],
        ["cron", "next", "--timezone", "America/Argentina/Buenos_Aires"],
        ["status"],
        ["failed", "list"],
        ["failed", "retry", "--all", "--dry-run"],
    ],
    ids=" ".join,
)
def test_every_table_fits_80_columns(live: Project, server: Server, words: list[str]) -> None:
    live.add_settings(LONG)
    with server.client() as client:
        raw = '{"path": "orders.tasks.call_an_external_service", "args": ["%s"], "kwargs": {}}'
        fields = {"raw": raw % ("a" * 50), "reason": "ValueError: " + "no answer " * 20}
        client.xadd("dlq:failed:emails_of_the_marketing_department", {**fields, "kind": "raised"})
    shown = ESCAPES.sub("", in_terminal(live, words, columns=80))
    table = shown.split("warning[")[0].split("\n")
    assert len(table) > 3, shown
    assert [line for line in table if len(line) > 80 and "settings" not in line] == [], shown
    assert "Traceback" not in shown


def test_watch_fits_24_lines(live: Project, server: Server) -> None:
    workers = ", ".join(f"'queue_{number:03}': 1" for number in range(100))
    live.add_settings(f"LIGHTWEIGHT_QUEUE_WORKERS = {{{workers}}}")
    enqueue(live, "confirm(1, django_lightweight_queue_queue='queue_077')")
    clear = "\x1b[H\x1b[2J"
    with running(live, "-m", "dlq", "run", "--only-queue", "queue_001") as runner:
        runner.wait_for("| started")
        shown = in_terminal(
            live,
            ["status", "--watch", "--interval", "0.2s"],
            columns=80,
            interrupt_when=lambda text: text.count(clear) > 2,
        )
    screens = shown.split(clear)
    assert len(screens) > 3
    for screen in screens[1:-1]:
        lines = ESCAPES.sub("", screen).split("\n")
        assert len(lines) <= 24, screen
        assert max(map(len, lines)) <= 80
        assert "queue_077" in screen, "what needs a look comes first"
        assert "MACHINE" in screen
        assert re.search(r"\.\.\. and \d+ more lines: dlq status", screen)
    assert "interrupted: " in screens[-1]
    assert "Traceback" not in shown


def test_a_long_action_shows_how_far_it_is(live: Project, server: Server) -> None:
    with server.client() as client:
        pipe = client.pipeline(transaction=False)
        for number in range(3000):
            pipe.xadd("dlq:failed:emails", {"raw": f'{{"n": {number}}}', "kind": "raised"})
        pipe.execute()
        shown = in_terminal(live, ["failed", "retry", "--queue", "emails"], typed="y\n")
        assert shown.index("Put 3000 jobs back on emails? [y/N]") < shown.index("reading [")
        assert "retried [###" in shown
        assert "3,000 of 3,000" in shown
        assert client.llen("django_lightweight_queue:emails") == 3000
