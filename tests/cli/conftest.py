"""A small project of its own for each test, and `dlq` as a real process in it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.kit.valkey import Server
from tests.kit.warm import Warm

ROOT = Path(__file__).parents[2]

MANAGE = """\
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
if __name__ == "__main__":
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
"""
BASE = """\
SECRET_KEY = "for tests only"
USE_TZ = True
INSTALLED_APPS = ["dlq", "orders"]
LIGHTWEIGHT_QUEUE_BACKEND = "dlq.backends.reliable_redis.ReliableRedisBackend"
LIGHTWEIGHT_QUEUE_WORKERS = {
    "emails": 3,
    "images": 2,
    "reports": 1,
}
LIGHTWEIGHT_QUEUE_BACKEND_OVERRIDES = {"reports": "dlq.backends.redis.RedisBackend"}
LIGHTWEIGHT_QUEUE_ATOMIC_JOBS = False
"""
SETTINGS = """\
from shop.base import *

LIGHTWEIGHT_QUEUE_REDIS_PASSWORD = None
"""
TASKS = """\
from dlq import task


@task()
def confirm(order_id):
    pass


@task(queue="webhooks")
def call(url, *, fail=False):
    if fail:
        raise ValueError(f"no answer from {url}")
"""
CRON = """\
CONFIG = (
    {"command": "expire_baskets", "minutes": "0,30", "hours": "*"},
    {"command": "nightly_report", "minutes": "15", "hours": "3", "queue": "reports"},
    {"command": "sync_stock", "minutes": "*", "hours": "*", "queue": "stock"},
)
"""
COMMAND = """\
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    def handle(self, *args, **options):
        pass
"""
SPECIAL = """\
LIGHTWEIGHT_QUEUE_WORKERS = {
    "images": 6,
}
"""


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def has(self, *texts: str, code: int | None = None) -> Answer:
        """What a person sees, wherever it is printed."""
        shown = self.out + self.err
        for text in texts:
            assert text in shown, f"{text!r} is not in:\n{shown}"
        assert "Traceback" not in shown, shown
        if code is not None:
            assert self.code == code, f"exit code {self.code}, not {code}:\n{shown}"
        return self


class Project:
    """A Django project on disk. `dlq` and `manage` run in its directory."""

    def __init__(self, directory: Path, warm: Warm) -> None:
        self.directory = directory
        self.warm = warm
        self.environment: dict[str, str] = {}
        for name, content in {
            "manage.py": MANAGE,
            "shop/__init__.py": "",
            "shop/base.py": BASE,
            "shop/settings.py": SETTINGS,
            "orders/__init__.py": "",
            "orders/tasks.py": TASKS,
            "orders/cron.py": CRON,
            "orders/management/__init__.py": "",
            "orders/management/commands/__init__.py": "",
            "orders/management/commands/expire_baskets.py": COMMAND,
            "orders/management/commands/nightly_report.py": COMMAND,
            "orders/management/commands/sync_stock.py": COMMAND,
            "config/special.py": SPECIAL,
        }.items():
            self.write(name, content)

    def write(self, name: str, content: str) -> Path:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return path

    def add_settings(self, text: str) -> None:
        with (self.directory / "shop/settings.py").open("a") as file:
            file.write(text + "\n")

    def use(self, server: Server) -> None:
        self.environment["LIGHTWEIGHT_QUEUE_REDIS_URL"] = server.url

    def dlq(self, *words: str, env: Mapping[str, str] | None = None, input: str = "") -> Answer:
        return self._run(["-m", "dlq", *words], env, input)

    def manage(self, *words: str, env: Mapping[str, str] | None = None, input: str = "") -> Answer:
        return self._run(["manage.py", *words], env, input)

    def program(self, *words: str, env: Mapping[str, str] | None = None) -> Answer:
        return self._run(list(words), env, "")

    def python(self, code: str) -> Answer:
        """Code of the project's own, as in a web process."""
        self.write("code.py", f"import django\ndjango.setup()\n{code}\n")
        return self._run(["code.py"], {"DJANGO_SETTINGS_MODULE": "shop.settings"}, "")

    def env(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name != "DJANGO_SETTINGS_MODULE" and not name.startswith("LIGHTWEIGHT_QUEUE_")
        }
        path = os.pathsep.join((str(ROOT), str(ROOT / "dlq" / "_alias")))
        return {**inherited, "PYTHONPATH": path, **self.environment, **(extra or {})}

    def _run(self, command: list[str], env: Mapping[str, str] | None, input: str) -> Answer:
        return Answer(*self.warm.run(command, cwd=self.directory, env=self.env(env), input=input))


@pytest.fixture
def project(tmp_path: Path, warm: Warm) -> Project:
    return Project(tmp_path, warm)


@pytest.fixture
def live(project: Project, server: Server) -> Project:
    """The project, with an empty server of the test run's."""
    project.use(server)
    return project
