"""--settings > $DJANGO_SETTINGS_MODULE > [tool.dlq] in pyproject.toml > manage.py."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from dlq.errors import UsageError
from dlq.project.locate import Located, enter, locate
from tests.config.projects import write

MANAGE = """\
import os
raise SystemExit("manage.py must not be run")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
"""
PYPROJECT = '[tool.dlq]\nsettings = "shop.production"\n'


def test_the_order(tmp_path: Path) -> None:
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    environ: dict[str, str] = {}
    with pytest.raises(UsageError, match=r"no Django project found.*dlq --settings shop"):
        locate(None, environ, below)
    write(tmp_path, {"manage.py": MANAGE})
    assert locate(None, environ, below) == Located(
        "shop.settings", tmp_path, str(tmp_path / "manage.py")
    )
    write(tmp_path, {"pyproject.toml": PYPROJECT})
    assert locate(None, environ, below) == Located(
        "shop.production", tmp_path, str(tmp_path / "pyproject.toml")
    )
    environ["DJANGO_SETTINGS_MODULE"] = "shop.env"
    assert locate(None, environ, below) == Located("shop.env", tmp_path, "$DJANGO_SETTINGS_MODULE")
    assert locate("shop.option", environ, below) == Located("shop.option", tmp_path, "--settings")


@pytest.mark.parametrize(
    "text",
    [
        'import os\nos.environ["DJANGO_SETTINGS_MODULE"] = "shop.x"\n',
        'def main():\n    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.x")\n',
        "from os import environ\nenviron.setdefault('DJANGO_SETTINGS_MODULE', 'shop.x')\n",
    ],
)
def test_manage_py_is_read_in_its_usual_forms(tmp_path: Path, text: str) -> None:
    write(tmp_path, {"manage.py": text})
    assert locate(None, {}, tmp_path).module == "shop.x"


def test_the_nearest_file_counts(tmp_path: Path) -> None:
    write(tmp_path, {"manage.py": MANAGE})
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "manage.py").write_text(MANAGE.replace("shop", "inner"))
    assert locate(None, {}, tmp_path / "inner").module == "inner.settings"
    assert locate(None, {}, tmp_path).module == "shop.settings"


def test_a_pyproject_of_another_purpose_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path, {"manage.py": MANAGE, "pyproject.toml": "[tool.ruff]\nline-length = 100\n"})
    assert locate(None, {}, tmp_path).module == "shop.settings"


@pytest.mark.parametrize(
    ("files", "option", "message"),
    [
        ({"pyproject.toml": "[tool.dlq]\nsettings = 3\n"}, None, r"must be text, as in settings ="),
        ({"pyproject.toml": "[tool.dlq\n"}, None, r"cannot read .*pyproject.toml: .*line 1"),
        ({"manage.py": "x = (\n"}, None, r"cannot read .*manage.py"),
        ({"manage.py": "print(1)\n"}, None, r"doesn't say in plain text .* dlq --settings"),
        ({}, "shop/settings.py", r"not a path; use 'shop.settings'"),
        ({}, "shop..settings", r"must be the dotted name of a module"),
        ({"pyproject.toml": '[tool.dlq]\nsettings = "shop/x.py"\n'}, None, r"use 'shop.x'"),
    ],
)
def test_what_cannot_be_followed_is_told(
    tmp_path: Path, files: dict[str, str], option: str | None, message: str
) -> None:
    write(tmp_path, files)
    with pytest.raises(UsageError, match=message):
        locate(option, {}, tmp_path)


def test_a_directory_that_everybody_can_write_is_not_searched_from_below(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    (shared / "mine").mkdir(parents=True)
    shared.chmod(0o777)
    (shared / "manage.py").write_text(MANAGE)
    with pytest.raises(UsageError, match="no Django project found"):
        locate(None, {}, shared / "mine")
    assert locate(None, {}, shared).module == "shop.settings"


def test_entering_makes_the_module_importable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "other")
    enter(Located("shop.settings", tmp_path, "--settings"))
    enter(Located("shop.settings", tmp_path, "--settings"))
    assert sys.path[0] == str(tmp_path)
    assert sys.path.count(str(tmp_path)) == 1
    assert os.environ["DJANGO_SETTINGS_MODULE"] == "shop.settings"


def test_manage_py_names_the_class_of_django_configurations(tmp_path: Path) -> None:
    (tmp_path / "manage.py").write_text(
        "import os\n"
        'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")\n'
        'os.environ["DJANGO_CONFIGURATION"] = "Dev"\n'
    )
    assert locate(None, {}, tmp_path).configuration == "Dev"
    assert locate("other.settings", {}, tmp_path).configuration == "Dev"
    (tmp_path / "manage.py").write_text("no Python at all")
    assert locate("other.settings", {}, tmp_path).configuration is None
