"""What the chapters of the manual show is what happens, in the example project."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator

import jsonschema
import pytest

from dlq.manual.chapters import TOPICS, chapter
from tests.examples.shop import Project
from tests.examples.test_readme import as_pattern

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(topic: str, language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(chapter(topic).text) if kind == language]


def console_examples() -> Iterator[tuple[str, str, str]]:
    for topic in TOPICS:
        for block in blocks(topic, "console"):
            for command, output in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
                yield topic, command, output


@pytest.mark.parametrize(("topic", "command", "output"), list(console_examples()))
def test_a_command_prints_what_is_shown(
    project_with_server: Project, topic: str, command: str, output: str
) -> None:
    done = project_with_server.run(command)
    assert done.code == 0, done.err
    assert re.fullmatch(as_pattern(output), done.out.rstrip()), done.out


@pytest.mark.parametrize("topic", [topic for topic in TOPICS if blocks(topic, "toml")])
def test_an_override_file_is_valid(project: Project, topic: str) -> None:
    schema = json.loads(project.run("dlq config schema").out)
    for block in blocks(topic, "toml"):
        jsonschema.validate(tomllib.loads(block), schema)


@pytest.mark.parametrize("topic", TOPICS)
def test_every_example_is_of_a_kind_that_is_executed(topic: str) -> None:
    """The chapter about tasks has its own test; blocks without a language are drawings."""
    kinds = {kind for kind, _ in BLOCK.findall(chapter(topic).text)}
    assert kinds <= {"console", "python", "toml"} or topic == "tasks"


@pytest.mark.parametrize("topic", TOPICS)
def test_what_a_chapter_names_is_there(topic: str) -> None:
    from dlq.cli.app import VERBS
    from dlq.config.settings import SETTING_NAMES
    from dlq.diagnostics.rules import RULES

    text = chapter(topic).text
    verbs = {listed.name for listed in VERBS}
    assert set(re.findall(r"`dlq ([a-z]+)", text)) <= verbs
    assert set(re.findall(r"\b([EWI]\d{3})\b", text)) <= set(RULES)
    named = set(re.findall(r"\b(?:[A-Z]+_)+[A-Z]+\b", text.replace("LIGHTWEIGHT_QUEUE_", "")))
    others = {"DJANGO_SETTINGS_MODULE", "INSTALLED_APPS", "ATOMIC_REQUESTS"}
    assert named <= {*SETTING_NAMES} | others, named
