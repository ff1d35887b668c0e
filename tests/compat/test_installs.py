"""A wheel, an editable install and a plain checkout all have both packages, and they work."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kit.environments import ROOT, Environment

CHECK = """
import django
from django.conf import settings

settings.configure(INSTALLED_APPS=["django_lightweight_queue", "app"], DATABASES={})
django.setup()

import django_lightweight_queue.job
import dlq.job
from app import tasks
from django_lightweight_queue import task
from django_lightweight_queue.job import Job
from importlib import resources

assert task is dlq.task
assert Job is dlq.job.Job
assert (resources.files("dlq") / "py.typed").is_file()
assert (resources.files("django_lightweight_queue") / "py.typed").is_file()
tasks.note(81)
assert tasks.done == [81], tasks.done
print(django_lightweight_queue.__file__)
"""

TASKS = """
from django_lightweight_queue import task

done = []

@task(atomic=False)
def note(number):
    done.append(number)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    project = tmp_path / "project"
    (project / "app").mkdir(parents=True)
    (project / "app" / "__init__.py").touch()
    (project / "app" / "tasks.py").write_text(TASKS)
    (project / "check.py").write_text(CHECK)
    (project / "settings.py").write_text("INSTALLED_APPS = ['dlq']\n")
    return project


def test_a_wheel_has_both_packages(
    tmp_path: Path, project: Path, dependencies: Environment
) -> None:
    environment = dependencies.copy(tmp_path / "wheel")
    environment.install(str(ROOT))
    place = environment.run("-c", "import check", cwd=project).strip()
    assert Path(place).is_relative_to(environment.directory)
    assert environment.run("dlq", "--version").startswith("dlq ")
    check = ("dlq", "--settings", "settings", "check", "--format", "concise")
    assert "E026" not in environment.run(*check, cwd=project)
    environment.install("--no-deps", "django-lightweight-queue==4.11")
    assert "E026 the package" in environment.run(*check, cwd=project, code=1)
    environment.uninstall("django-lightweight-queue")
    assert "E026 the package" in environment.run(*check, cwd=project, code=1)


def test_an_editable_install_has_both_packages(
    tmp_path: Path, project: Path, dependencies: Environment
) -> None:
    environment = dependencies.copy(tmp_path / "editable")
    environment.install("--editable", str(ROOT))
    place = environment.run("-c", "import check", cwd=project).strip()
    assert Path(place).is_relative_to(ROOT)
    assert environment.run("dlq", "--version").startswith("dlq ")


def test_a_plain_checkout_works_under_pytest(tmp_path: Path, dependencies: Environment) -> None:
    environment = dependencies.copy(tmp_path / "checkout")
    environment.install("pytest", "pytest-django")
    # Without the options of the project: they spread tests over processes with a plugin more.
    options = ("-q", "-o", "addopts=", "-p", "no:cacheprovider")
    output = environment.run("pytest", *options, "tests/compat/test_alias.py", cwd=ROOT)
    assert " passed" in output
    assert "failed" not in output
