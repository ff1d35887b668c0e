"""The manual's chapter about tasks: its files are a project, its examples and commands work."""

from __future__ import annotations

import re
from pathlib import Path

import dlq
from tests.cli.conftest import Project

CHAPTER = Path(dlq.__file__).parent / "manual" / "tasks.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)

RUN_EXAMPLES = """\
import doctest, django
django.setup()
text = open("examples.txt").read()
test = doctest.DocTestParser().get_doctest(text, {}, "tasks.md", "tasks.md", 0)
runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
runner.run(test)
print(runner.tries, "examples,", runner.failures, "failed")
"""


def blocks(language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(CHAPTER.read_text()) if kind == language]


def test_its_examples_run(live: Project) -> None:
    for block in blocks("python"):
        name = block.splitlines()[0].removeprefix("# ")
        if name == "settings.py":
            more = "INSTALLED_APPS = [*INSTALLED_APPS]\n"
            database = "DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3'}}\n"
            database += "DATABASES['default']['NAME'] = ':memory:'\n"
            live.write("shop/settings.py", f"from shop.base import *\n{more}{database}{block}")
        else:
            live.write(name, block)
    live.write("examples.txt", "\n".join(blocks("pycon")))
    live.write("run_examples.py", RUN_EXAMPLES)
    environment = {"DJANGO_SETTINGS_MODULE": "shop.settings"}
    live.program("run_examples.py", env=environment).has(" examples, 0 failed", code=0)
    for block in blocks("sh"):
        for line in block.splitlines():
            live.dlq(*line.removeprefix("dlq ").split()).has(code=0)
    live.manage("test", "orders").has(code=0)


def test_every_kind_of_block_is_executed() -> None:
    kinds = {kind for kind, _ in BLOCK.findall(CHAPTER.read_text())}
    assert kinds == {"python", "pycon", "sh"}
