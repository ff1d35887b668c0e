"""The example files are valid, and what `dlq init` writes is the same."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.examples.shop import EXAMPLES, SHOP, Project

STARTERS = {
    "overrides.py": "special.py",
    "overrides.toml": "pool.toml",
    "dlq.service": "systemd/dlq.service",
    "ci.yml": "github/dlq.yml",
}
"""Starters that are examples too; cron.py is the one that stands for itself."""


def test_the_shop_has_no_mistakes(project: Project) -> None:
    done = project.run("dlq check --fail-on warning")
    assert done.code == 0, done.out
    assert "3 cron rows in 1 file, 5 tasks in 1 app: no mistakes found" in done.out
    assert project.run("python manage.py check --fail-level WARNING").code == 0
    assert project.run("python manage.py makemigrations --check --dry-run").code == 0


@pytest.mark.parametrize("name", ["special.py", "pool.toml", "exact.toml"])
def test_an_override_file_has_no_errors(project: Project, name: str) -> None:
    done = project.run(f"dlq check --config ../{name}")
    assert done.code == 0, done.out
    assert "error" not in done.out


@pytest.mark.parametrize("name", ["pool.toml", "exact.toml"])
def test_the_schema_accepts_the_toml_files(project: Project, name: str) -> None:
    schema = json.loads(project.run("dlq config schema").out)
    content = tomllib.loads((EXAMPLES / name).read_text())
    jsonschema.validate(content, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**content, "worker": {}}, schema)


def plan(project: Project, options: str) -> Any:
    done = project.run(f"dlq plan --format json {options}")
    assert done.code == 0, done.err
    return json.loads(done.out)


def test_special_py_is_the_whole_truth_about_workers(project: Project) -> None:
    exact = plan(project, "--exact-configuration --config ../special.py")
    assert [f"{worker['queue']}/{worker['number']}" for worker in exact["workers"]] == [
        "default/1",
        *(f"images/{number}" for number in range(1, 7)),
    ]
    assert exact["cron"]["runs_here"] is False
    assert exact["queues"]["images"]["source"].startswith("../special.py:")


def test_pool_toml_is_for_a_pool(project: Project) -> None:
    pool = plan(project, "--config ../pool.toml --of 2")
    counts = {name: queue["workers"] for name, queue in pool["queues"].items()}
    assert counts == {"cron": 1, "default": 1, "emails": 4, "images": 2, "reports": 1}
    assert pool["settings"]["WORKER_MAX_JOBS"]["value"] == 500


@pytest.mark.parametrize(("starter", "example"), STARTERS.items())
def test_a_starter_is_the_example(starter: str, example: str) -> None:
    written = resources.files("dlq").joinpath("starters", starter).read_text()
    assert written == (EXAMPLES / example).read_text()


def test_there_are_no_other_starters() -> None:
    names = {path.name for path in resources.files("dlq").joinpath("starters").iterdir()}
    assert names - {"__pycache__", "__init__.py"} == {*STARTERS, "cron.py"}


@pytest.mark.parametrize("option", ["", "--toml"])
def test_what_init_writes_has_no_mistakes(project: Project, tmp_path: Path, option: str) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(SHOP, copy)
    project.directory = copy
    (copy / "orders" / "cron.py").unlink()
    done = project.run(f"dlq init {option}")
    assert done.code == 0, done.err
    assert (copy / "orders" / "cron.py").exists(), "it is written into the app"
    (config,) = copy.glob("dlq-overrides.*")
    check = project.run(f"dlq check --config {config.name}")
    assert check.code == 0, check.out
    assert "1 cron row in 1 file" in check.out
    assert "error" not in check.out


def workflow_steps() -> list[str]:
    workflow = yaml.safe_load((EXAMPLES / "github" / "dlq.yml").read_text())
    steps = workflow["jobs"]["check"]["steps"]
    return [step["run"] for step in steps if step.get("run", "").startswith("dlq ")]


@pytest.mark.parametrize("step", workflow_steps())
def test_a_step_of_the_workflow_passes(project: Project, step: str) -> None:
    done = project.run(step)
    assert done.code == 0, done.out


def test_the_workflow_says_no_on_the_line_of_the_mistake(project: Project, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(SHOP, copy)
    project.directory = copy
    settings = copy / "shop" / "settings.py"
    settings.write_text(settings.read_text().replace('"images": 2', '"images": -1'))
    line = settings.read_text().splitlines().index('    "images": -1,') + 1
    check, _ = workflow_steps()
    done = project.run(check)
    assert done.code == 1
    assert re.search(rf"^::error file=shop/settings\.py,line={line},", done.out, re.MULTILINE)
