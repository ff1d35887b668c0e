"""`dlq manual`, and the Python examples of its chapters."""

from __future__ import annotations

import re

import pytest

from dlq.manual.chapters import TOPICS, chapter
from tests.cli.conftest import Project

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_topics_and_chapters(project: Project) -> None:
    listed = project.dlq("manual").has("delivery", "Read one: dlq manual TOPIC", code=0)
    assert [line.split()[0] for line in listed.out.splitlines()[1:9]] == list(TOPICS)
    for topic in TOPICS:
        assert project.dlq("manual", topic).out == chapter(topic).text
    found = project.dlq("manual", "cron", "--format", "json").json
    assert (found["topic"], found["title"]) == ("cron", "Cron")
    assert len(project.dlq("manual", "--format", "json").json["topics"]) == len(TOPICS)
    project.dlq("manual", "deliver").has("did you mean delivery?", code=2)


@pytest.mark.parametrize("topic", TOPICS)
def test_a_chapter_has_a_title_and_a_summary(topic: str) -> None:
    found = chapter(topic)
    assert found.text.startswith(f"# {found.title}\n\n{found.summary}\n")
    assert found.summary.endswith(".")
    assert len(found.summary) < 120
    assert len(found.text) > 2000


@pytest.mark.parametrize(
    "topic", [topic for topic in TOPICS if topic != "tasks" and BLOCK.search(chapter(topic).text)]
)
def test_the_python_examples_run(live: Project, topic: str) -> None:
    """A block that begins with the name of a file is that file; any other is code of the project.
    The examples of the chapter about tasks have a test of their own."""
    for block in BLOCK.findall(chapter(topic).text):
        name = re.match(r"# (\S+\.py)\n", block)
        if name is not None:
            live.write(name[1], block)
            live.dlq("check", "--fail-on", "warning").has(code=0)
        else:
            live.python(block).has(code=0)
