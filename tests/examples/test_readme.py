"""What the README shows is what happens."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
from django.core.management import get_commands, load_command_class

from dlq.cli.dispatch import run
from dlq.config.settings import SETTING_NAMES, Settings
from tests.examples.shop import EXAMPLES, SHOP, Project
from tests.kit.environments import ROOT
from tests.kit.valkey import Server

TEXT = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def console_examples() -> Iterator[tuple[str, str]]:
    """Each `$ command` with the output that the README shows for it."""
    for block in blocks("console"):
        yield from re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)


def as_pattern(output: str) -> str:
    """`...` stands for anything, on a line of its own also for several lines."""
    return re.escape(output.rstrip()).replace(re.escape("..."), "(?s:.*)")


@pytest.mark.parametrize(("command", "output"), list(console_examples()))
def test_a_command_prints_what_is_shown(project: Project, command: str, output: str) -> None:
    done = project.run(command)
    assert done.code == 0, done.err
    assert re.fullmatch(as_pattern(output), done.out.rstrip()), done.out


def test_there_are_commands_to_try() -> None:
    assert len(list(console_examples())) >= 3


@pytest.mark.parametrize(
    "command", sorted(set(re.findall(r"`(dlq [a-z][^`]*|manage\.py [^`]*)`", TEXT)))
)
def test_a_command_in_the_text_exists(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Its words are those of a verb and its options: the help of the same words knows them."""
    program, *words = shlex.split(command)
    if program == "dlq":
        assert run([*words, "--help"]) == 0
        help = capsys.readouterr().out
    else:
        name = words[0].replace("*", "pause")
        help = load_command_class(get_commands()[name], name).create_parser("", "").format_help()
    for option in re.findall(r"--[a-z-]+", command):
        assert option in help


def test_the_two_commands_do_their_own_set_up() -> None:
    """They are run for real by .ci/run (the second) and by the demo's test (what the first ends
    in); here: both begin with nothing but python3."""
    commands = [line for block in blocks("sh") for line in block.splitlines() if "venv" in line]
    setup = re.compile(
        r"python3 -m venv --without-pip \.venv"
        r" && python3 -m pip --python \.venv install -q -e '\.\[(embedded|test)\]'"
        r" && \.venv/bin/(dlq demo|pytest -n 4)"
    )
    found = [setup.fullmatch(command) for command in commands]
    assert [match and match.groups() for match in found] == [
        ("embedded", "dlq demo"),
        ("test", "pytest -n 4"),
    ]


def test_the_code_runs_as_a_project(project: Project, tmp_path: Path, server: Server) -> None:
    directory = tmp_path / "copy"
    (directory / "orders").mkdir(parents=True)
    (directory / "orders" / "__init__.py").touch()
    usage = []
    for block in blocks("python"):
        name = block.splitlines()[0].removeprefix("# ")
        if name.endswith(".py"):
            (directory / name).write_text(block)
        else:
            usage.append(block)
    calls = [block for block in usage if "def test_" not in block]
    (tests_of_tasks,) = (block for block in usage if "def test_" in block)
    with (directory / "settings.py").open("a") as file:
        file.write("INSTALLED_APPS = ['dlq', 'orders', 'django.contrib.sessions']\n")
        file.write("DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3'}}\n")
        file.write("DATABASES['default']['NAME'] = ':memory:'\n")
        file.write("SECRET_KEY = 'x'\n")
    for command in ("expire_orders", "report_orders"):
        place = directory / "orders" / "management" / "commands"
        place.mkdir(parents=True, exist_ok=True)
        text = (SHOP / "orders" / "management" / "commands" / f"{command}.py").read_text()
        (place / f"{command}.py").write_text(
            text.replace("from orders.models import Order", "Order = None")
        )
    (directory / "use.py").write_text("\n".join(["import django\ndjango.setup()", *calls]))
    (directory / "test_orders.py").write_text(tests_of_tasks)
    project.directory = directory
    project.extra["DJANGO_SETTINGS_MODULE"] = "settings"
    check = project.run("dlq check --fail-on warning")
    assert check.code == 0, check.out
    assert "3 cron rows in 1 file" in check.out
    project.extra["LIGHTWEIGHT_QUEUE_REDIS_PORT"] = str(server.port)
    used = project.run("python use.py")
    assert used.code == 0, used.err
    tested = project.run("python -m pytest -q -p no:cacheprovider --ds settings test_orders.py")
    assert "1 passed" in tested.out, tested.out + tested.err


def test_the_override_file_is_valid(project: Project) -> None:
    schema = json.loads(project.run("dlq config schema").out)
    for block in blocks("toml"):
        jsonschema.validate(tomllib.loads(block), schema)


def test_the_table_has_every_setting_and_its_default() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| `(.*?)` \|", TEXT, re.MULTILINE)
    assert [name for name, _ in rows] == [*SETTING_NAMES]
    defaults = Settings()
    for name, shown in rows:
        value = getattr(defaults, name.lower())
        text = '""' if value == "" else str(value)
        if isinstance(value, tuple):
            text = f"[{', '.join(value)}]"
        assert text == shown, name


@pytest.mark.parametrize("name", re.findall(r"config-examples/[\w./-]+", TEXT))
def test_a_file_in_the_text_exists(name: str) -> None:
    assert (EXAMPLES.parent / name).exists()


@pytest.mark.parametrize("code", re.findall(r"\b([EWI]\d{3})\b", TEXT))
def test_a_finding_in_the_text_exists(code: str) -> None:
    from dlq.diagnostics.rules import RULES

    assert code in RULES
