"""`dlq init`: starter files that pass the check, and that overwrite nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Project


@pytest.mark.parametrize(
    ("words", "override"), [((), "dlq-overrides.py"), (("--toml",), "dlq-overrides.toml")]
)
def test_init_writes_files_that_work(
    project: Project, words: tuple[str, ...], override: str
) -> None:
    (project.directory / "orders/cron.py").unlink()
    answer = project.dlq("init", *words).has(f"next:  dlq check --config {override}", code=0)
    for name in (override, "orders/cron.py", "dlq.service", "dlq-ci.yml"):
        assert (project.directory / name).read_text().strip()
        assert any(line.startswith(f"wrote  {name} ") for line in answer.out.splitlines())
    assert project.dlq("plan", "--machine", "1", "--of", "2", "--config", override).code == 0


def test_init_overwrites_nothing(project: Project) -> None:
    project.write("dlq.service", "mine")
    answer = project.dlq("init").has("exists, not touched", code=0)
    assert (project.directory / "dlq.service").read_text() == "mine"
    before = (project.directory / "orders/cron.py").read_bytes()
    assert "wrote" in answer.out
    again = project.dlq("init").has(code=0)
    assert "wrote" not in again.out
    assert (project.directory / "orders/cron.py").read_bytes() == before


def test_init_names_the_project_that_it_found(project: Project) -> None:
    path = project.directory / "manage.py"
    path.write_text(path.read_text().replace("shop.settings", "shop.base"))
    answer = project.dlq("init", "--format", "json")
    assert answer.json["settings_module"] == "shop.base"
    assert [file["is_new"] for file in answer.json["files"]] == [True, False, True, True]
    unit = (project.directory / "dlq.service").read_text()
    assert "Environment=DJANGO_SETTINGS_MODULE=shop.base\n" in unit
    assert f"WorkingDirectory={project.directory}\n" in unit
    assert "shop.base" in (project.directory / "dlq-ci.yml").read_text()


def test_init_without_a_project(tmp_path: Path, project: Project) -> None:
    empty = Project(tmp_path / "empty", project.warm)
    for name in empty.directory.rglob("*.py"):
        name.unlink()
    (project.directory / "manage.py").unlink()
    empty.dlq("init").has("no Django project found", "put it into the directory of an app", code=0)
    assert (empty.directory / "cron.py").is_file()
