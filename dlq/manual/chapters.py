"""The chapters by topic, as `dlq manual` prints them."""

from __future__ import annotations

from difflib import get_close_matches
from importlib.resources import files
from typing import NamedTuple

from dlq.errors import UsageError

TOPICS = (
    "configuration",
    "plan",
    "delivery",
    "cron",
    "operating",
    "tasks",
    "testing",
    "migrating",
)
"""In the order in which they are best read."""


class Chapter(NamedTuple):
    """`summary` is the sentence below the title; `text` is Markdown."""

    topic: str
    title: str
    summary: str
    text: str


def chapter(topic: str) -> Chapter:
    """Read a chapter. Raises UsageError for a topic that there is none of."""
    wanted = topic.strip().lower()
    if wanted not in TOPICS:
        close = get_close_matches(wanted, TOPICS, 1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(TOPICS)}"
        raise UsageError(f"the manual has no chapter {topic!r}: {hint}")
    text = files(__package__).joinpath(f"{wanted}.md").read_text(encoding="utf-8")
    title, _, rest = text.partition("\n")
    return Chapter(wanted, title.removeprefix("# "), rest.strip().partition("\n\n")[0], text)


def chapters() -> list[Chapter]:
    return [chapter(topic) for topic in TOPICS]
