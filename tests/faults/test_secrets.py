"""A password as a canary: set in every place there is, and looked for in all that is printed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.cli.conftest import Project
from tests.cli.running import running
from tests.kit.valkey import Server
from tests.kit.waiting import wait_until

pytestmark = pytest.mark.chaos

CANARY = "8c4f91b2e6-Canary"


@pytest.fixture(scope="module")
def locked() -> Iterator[Server]:
    """A server that asks for the password, and one user more."""
    server = Server().start()
    with server.client() as client:
        client.config_set("requirepass", CANARY)
    yield server
    server.remove()


@dataclass
class Place:
    """Where the secret stands, and how a command is told of that."""

    settings: str = ""
    file: str = ""
    content: str = ""
    environment: dict[str, str] = field(default_factory=dict)

    def prepare(self, project: Project, server: Server) -> list[str]:
        """The words that every command of this place needs."""

        def filled(text: str) -> str:
            return text.replace("PORT", str(server.port)).replace("CANARY", CANARY)

        project.environment = {name: filled(value) for name, value in self.environment.items()} or {
            "LIGHTWEIGHT_QUEUE_REDIS_PORT": str(server.port)
        }
        project.add_settings(filled(self.settings))
        if not self.file:
            return []
        project.write(self.file, filled(self.content))
        return ["--config", self.file]


PLACES = {
    "settings-password": Place('LIGHTWEIGHT_QUEUE_REDIS_PASSWORD = "CANARY"'),
    "python-password": Place(
        file="config/own.py", content='LIGHTWEIGHT_QUEUE_REDIS_PASSWORD = "CANARY"\n'
    ),
    "toml-password": Place(file="config/own.toml", content='redis_password = "CANARY"\n'),
    "json-password": Place(file="config/own.json", content='{"redis_password": "CANARY"}'),
    "environment-password": Place(
        environment={
            "LIGHTWEIGHT_QUEUE_REDIS_PASSWORD": "CANARY",
            "LIGHTWEIGHT_QUEUE_REDIS_PORT": "PORT",
        }
    ),
    "environment-url": Place(
        environment={"LIGHTWEIGHT_QUEUE_REDIS_URL": "redis://:CANARY@127.0.0.1:PORT/0"}
    ),
}
"""In which all is well, and all verbs work."""

CONFIGURATION = (
    ("plan",),
    ("plan", "--of", "2"),
    ("plan", "--format", "json"),
    ("check",),
    ("check", "--format", "json"),
    ("config", "show"),
    ("config", "show", "--format", "json"),
    ("config", "explain", "REDIS_PASSWORD"),
    ("config", "explain", "REDIS_URL"),
    ("status",),
)
"""What is asked of each place."""

OTHERS = (
    ("config", "schema"),
    ("cron", "next"),
    ("cron", "run", "expire_baskets"),
    ("pause", "emails", "--for", "1s"),
    ("resume", "emails"),
    ("clear", "emails", "--yes"),
    ("deduplicate", "emails"),
    ("status", "--format", "json"),
    ("failed", "list"),
    ("-v", "failed", "list"),
)


@pytest.mark.parametrize("place", PLACES)
def test_no_verb_prints_a_secret(project: Project, locked: Server, place: str) -> None:
    words = PLACES[place].prepare(project, locked)
    printed = ""
    everything = place in ("settings-password", "environment-url")
    for verb in CONFIGURATION + (OTHERS if everything else ()):
        answer = project.dlq(*words, *verb)
        assert answer.code in (0, 1), (verb, answer)
        printed += answer.out + answer.err
    for command in ("check", "queue_configuration", "queue_pause emails --for 1s", "queue_clear"):
        answer = project.manage(*command.split())
        printed += answer.out + answer.err
    assert "dlq.E" not in printed
    assert CANARY not in printed
    assert printed.count("********") >= 4, "where it would have been"


MISTAKES = {
    "url-in-host": Place('LIGHTWEIGHT_QUEUE_REDIS_HOST = "redis://:CANARY@127.0.0.1:PORT/0"'),
    "url-and-host": Place(
        'LIGHTWEIGHT_QUEUE_REDIS_URL = "redis://:CANARY@127.0.0.1:PORT/0"\n'
        'LIGHTWEIGHT_QUEUE_REDIS_HOST = "h"'
    ),
    "scheme": Place('LIGHTWEIGHT_QUEUE_REDIS_URL = "http://:CANARY@127.0.0.1:PORT/0"'),
    "port": Place('LIGHTWEIGHT_QUEUE_REDIS_URL = "redis://:CANARY@127.0.0.1:70000/0"'),
    "misspelt": Place('LIGHTWEIGHT_QUEUE_REDIS_PASWORD = "CANARY"'),
    "misspelt-environment": Place(
        environment={"LIGHTWEIGHT_QUEUE_REDIS_PASWORD": "CANARY"},
    ),
    "bytes": Place('LIGHTWEIGHT_QUEUE_REDIS_PASSWORD = b"CANARY"'),
    "list": Place('LIGHTWEIGHT_QUEUE_REDIS_PASSWORD = ["CANARY"]'),
    "python-syntax": Place(
        file="config/own.py", content='LIGHTWEIGHT_QUEUE_REDIS_PASSWORD = "CANARY\n'
    ),
    "toml-syntax": Place(file="config/own.toml", content='redis_password = "CANARY\n'),
    "json-syntax": Place(file="config/own.json", content='{"redis_password": "CANARY}'),
    "json-comma": Place(file="config/own.json", content='{"redis_password": "CANARY" 3}'),
    "toml-type": Place(file="config/own.toml", content='redis_password = ["CANARY"]\n'),
    "toml-misspelt": Place(file="config/own.toml", content='redis_pasword = "CANARY"\n'),
    "environment-url": Place(
        environment={"LIGHTWEIGHT_QUEUE_REDIS_URL": "http://:CANARY@127.0.0.1:PORT/0"}
    ),
    "wrong-password": Place('LIGHTWEIGHT_QUEUE_REDIS_PASSWORD = "not-the-CANARY"'),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_no_error_prints_a_secret(project: Project, locked: Server, mistake: str) -> None:
    words = MISTAKES[mistake].prepare(project, locked)
    verbs = [
        ("plan",),
        *(("check", "--format", name) for name in ("text", "concise", "json", "github", "sarif")),
        ("config", "show"),
        ("config", "show", "--format", "json"),
        ("config", "explain", "REDIS_PASSWORD"),
        ("status",),
        ("clear", "emails", "--yes"),
        ("-v", "failed", "list"),
    ]
    codes = set()
    for verb in verbs:
        answer = project.dlq(*words, *verb)
        assert CANARY not in answer.out + answer.err, verb
        assert "Traceback" not in answer.err or "-v" in verb
        codes.add(answer.code)
    assert codes & {1, 2}, "it is a mistake"


def test_no_runner_prints_a_secret(project: Project, locked: Server) -> None:
    """With the password right, then wrong, and in what `ps` and the server's list show."""
    PLACES["environment-url"].prepare(project, locked)
    with (
        locked.client(password=CANARY) as client,
        running(project, "-m", "dlq", "run", "-v") as run,
    ):
        run.wait_for("webhooks/1 started")
        project.python("from orders.tasks import call\ncall('https://a.example', fail=True)")
        wait_until(lambda: client.exists("dlq:failed:webhooks"), 20)
        commands = [
            path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()
        ]
        assert any(b"dlq: supervisor" in command for command in commands)
        assert not any(CANARY.encode() in command for command in commands)
        for key in client.scan_iter("dlq:*"):
            assert CANARY.encode() not in (client.dump(key) or b"")
        client.config_set("requirepass", "changed")
        client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        run.wait_for("refuses the user or password")
        failed = project.python("from orders.tasks import confirm\nconfirm(1)")
        assert "EnqueueError" in failed.err
        assert CANARY not in failed.err
        client.config_set("requirepass", CANARY)
        assert run.stop() == 0
        assert CANARY not in run.text
