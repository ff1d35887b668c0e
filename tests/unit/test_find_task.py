"""Tasks are found by path only where the project's apps are; nothing else is ever imported."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import override_settings

from dlq.errors import UnknownTask
from dlq.execution.app_modules import TasksNotImportable, app_modules, import_tasks
from dlq.execution.find_task import find_task, may_be_imported


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A place for apps, on sys.path; what is imported from it is forgotten afterwards."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def app(site: Path, name: str, **files: str) -> str:
    (site / name).mkdir()
    (site / name / "__init__.py").touch()
    for module, text in files.items():
        (site / name / f"{module}.py").write_text(text)
    return name


def test_a_task_is_found_by_its_path() -> None:
    from tests.project.orders.tasks import confirm

    assert find_task("tests.project.orders.tasks.confirm") is confirm


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("tests.project.orders.tasks.nosuch", "has no 'nosuch' (was it renamed or removed"),
        ("tests.project.orders.tasks.task", "it is a function, not made by @task"),
        ("tests.project.orders.nosuch.f", "No module named 'tests.project.orders.nosuch'"),
        ("os.system", "it is a builtin_function_or_method, not made by @task"),
        ("this.d", "this is no module of an installed app; if it holds tasks, list it in"),
        ("antigravity.x", "list it in LIGHTWEIGHT_QUEUE_TASK_MODULES"),
        ("confirm", "it is no module of an installed app"),
        ("", "it is no module of an installed app"),
        (".", "it is no module of an installed app"),
        ("..x", "no module of an installed app"),
        ("tests.project.orders\x00.tasks.f", "no module of an installed app"),
        ("tests.project.orders.\x00.f", "no task"),
        ("tests.project.orders.\ud800.f", "no task"),
        ("tests.project.orders..f", "no task"),
        ("tests.project.ordersx.f", "no module of an installed app"),
        ("tests.project.orders." + "a." * 2000 + "f", "no task"),
        ("dlq.demo.__main__.f", "no module of an installed app"),
        ("dlq.cli.nosuch.f", "no module of an installed app"),
        ("tests.project.orders.__main__.f", "no module of an installed app"),
        ("tests.project.orders.__main__.x.f", "no module of an installed app"),
    ],
)
def test_other_paths_are_unknown_tasks(path: str, reason: str) -> None:
    with pytest.raises(UnknownTask) as caught:
        find_task(path)
    assert reason in str(caught.value)


def test_nothing_outside_of_apps_is_imported() -> None:
    sys.modules.pop("this", None)
    with pytest.raises(UnknownTask):
        find_task("this.d")
    assert "this" not in sys.modules


def test_task_modules_may_be_imported(site: Path) -> None:
    (site / "loose_tasks.py").write_text(
        "from dlq import task\n@task()\ndef f(): ...\n", encoding="utf-8"
    )
    with pytest.raises(UnknownTask):
        find_task("loose_tasks.f")
    with override_settings(LIGHTWEIGHT_QUEUE_TASK_MODULES=["loose_tasks"]):
        assert find_task("loose_tasks.f").path == "loose_tasks.f"


@pytest.mark.parametrize(
    ("module", "may"),
    [
        ("shop", True),
        ("shop.tasks", True),
        ("shop.deep.tasks", True),
        ("shopping", False),
        ("extra.tasks", True),
        ("extra.tasks.more", False),
        ("shop.__main__", False),
        ("shop.deep.__main__.tasks", False),
        ("", False),
    ],
)
def test_what_a_job_may_have_imported(module: str, may: bool) -> None:
    assert may_be_imported(module, {"shop"}, ["extra.tasks"]) is may


@pytest.mark.parametrize("text", ["import sys; sys.exit(0)", "raise KeyError('TOKEN')", "1 / 0"])
def test_a_module_that_raises_at_import_has_no_task(site: Path, text: str) -> None:
    apps = override_settings(INSTALLED_APPS=["dlq", app(site, "late", more=text)])
    with apps, pytest.raises(UnknownTask, match=r"importing late\.more raises \w+"):
        find_task("late.more.f")


def test_apps_are_searched_for_a_module(site: Path) -> None:
    names = [app(site, "with_tasks", tasks=""), app(site, "without")]
    with override_settings(INSTALLED_APPS=["dlq", *names]):
        assert list(app_modules("tasks")) == ["with_tasks.tasks"]
        assert list(app_modules("tasks", {"with_tasks"})) == []
    assert "with_tasks.tasks" in sys.modules, "ready() imports it"


def test_all_modules_with_tasks_are_tried(site: Path) -> None:
    names = [
        app(site, "bad_one", tasks="1 / 0"),
        app(site, "bad_two", tasks="import nosuch"),
        app(site, "bad_three", tasks="import sys; sys.exit(0)"),
        app(site, "good", tasks=""),
    ]
    with override_settings(INSTALLED_APPS=names):
        with pytest.raises(TasksNotImportable) as caught:
            import_tasks(())
        import_tasks({"bad_one", "bad_two", "bad_three"})
    assert list(caught.value.causes) == ["bad_one.tasks", "bad_two.tasks", "bad_three.tasks"]
    assert "bad_one.tasks: ZeroDivisionError: division by zero" in str(caught.value)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert "good.tasks" in sys.modules


@pytest.mark.parametrize("ignored", [["bad"], ("bad",), "environment", "environment as JSON"])
def test_the_app_ignores_what_ignore_apps_says(
    site: Path, ignored: list[str] | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    apps = ["dlq", app(site, "bad", tasks="1 / 0")]
    with pytest.raises(TasksNotImportable), override_settings(INSTALLED_APPS=apps):
        pass
    if isinstance(ignored, str):
        text = "x, bad" if ignored == "environment" else '["bad"]'
        monkeypatch.setenv("LIGHTWEIGHT_QUEUE_IGNORE_APPS", text)
        ignored = []
    with (
        override_settings(LIGHTWEIGHT_QUEUE_IGNORE_APPS=ignored),
        override_settings(INSTALLED_APPS=apps),
    ):
        assert "bad.tasks" not in sys.modules
