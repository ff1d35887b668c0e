"""Starter files, copied from the package into a project. Nothing that exists is overwritten."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from dlq.errors import UsageError


class Starter(NamedTuple):
    """`name` in the package's starters, `target` in the project."""

    name: str
    target: str
    purpose: str


class StarterFile(NamedTuple):
    path: str
    is_new: bool
    purpose: str


PYTHON = Starter(
    "overrides.py", "dlq-overrides.py", "override file: its WORKERS is the whole truth"
)
TOML = Starter("overrides.toml", "dlq-overrides.toml", PYTHON.purpose)
CRON = Starter("cron.py", "cron.py", "cron rows of the app")
CRON_ALONE = CRON._replace(purpose="cron rows: put it into the directory of an app")
OTHERS = (
    Starter("dlq.service", "dlq.service", "systemd unit: copy to /etc/systemd/system"),
    Starter("ci.yml", "dlq-ci.yml", "CI job: `dlq check` on each push"),
)


EXAMPLES = {"settings": "shop.settings", "directory": "/srv/shop", "name": "shop"}
"""What the starters name, for want of a project."""


def write_starters(
    directory: str, *, toml: bool, settings_module: str | None = None
) -> list[StarterFile]:
    """What was written, the override file first. `settings_module` takes the place of the example's
    name, and cron.py goes into an app of the project. Raises UsageError, and then has written no
    more than the files before."""
    target = Path(directory)
    if not target.is_dir():
        raise UsageError(f"--directory {directory}: no such directory ({target.absolute()})")
    app = find_app(target)
    cron = CRON_ALONE if app is None else CRON._replace(target=str(app / CRON.target))
    starters = (TOML if toml else PYTHON, cron, *OTHERS)
    return [_write(starter, target, settings_module) for starter in starters]


def find_app(project: Path) -> Path | None:
    """The app below a project's directory that cron rows can begin in, relative to it: one with
    tasks, if there is one. Nothing is imported."""
    apps = [
        path.parent
        for name in ("tasks.py", "tasks/__init__.py", "models.py", "apps.py")
        for path in sorted([*project.glob(f"*/{name}"), *project.glob(f"*/*/{name}")])
        if not path.relative_to(project).parts[0].startswith((".", "_"))
    ]
    for app in apps:
        app = app.parent if app.name == "tasks" else app
        if (app / "__init__.py").is_file():
            return app.relative_to(project)
    return None


def _write(starter: Starter, directory: Path, settings_module: str | None) -> StarterFile:
    path = directory / starter.target
    content = files("dlq").joinpath("starters", starter.name).read_text("utf-8")
    if settings_module is not None:
        name = settings_module.partition(".")[0]
        content = (
            content.replace(EXAMPLES["settings"], settings_module)
            .replace(EXAMPLES["directory"], str(directory.absolute()))
            .replace(f"/etc/{EXAMPLES['name']}/", f"/etc/{name}/")
        )
    try:
        # Mode x: a file that appears between a look and the writing is kept.
        with path.open("x", encoding="utf-8") as file:
            file.write(content)
    except FileExistsError:
        return StarterFile(str(path), False, "exists, not touched")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror} (errno {error.errno})") from None
    return StarterFile(str(path), True, starter.purpose)
