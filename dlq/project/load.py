"""The loaded project of a command: settings, tasks and cron rows, and all that is wrong.

Everything that the user's code raises on the way becomes a finding, and the rest is still looked
at. The only module of the operations that configures Django.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from dlq.config import PREFIX, active
from dlq.config.resolution import Resolution
from dlq.cron.files.configuration import CronConfiguration
from dlq.cron.files.load import load_rows
from dlq.diagnostics.finding import Finding, errors
from dlq.diagnostics.refusal import ConfigurationRefused
from dlq.diagnostics.rules import project as rules
from dlq.diagnostics.user_exceptions import last_line, project_source_of_error, source_of_error
from dlq.execution.app_modules import TasksNotImportable, ignored_apps
from dlq.jobs import declarations as queues
from dlq.jobs.declarations import Declaration
from dlq.primitives.display_path import display_path
from dlq.primitives.legacy_names import OLD_PACKAGE
from dlq.project.alias_check import check_old_name
from dlq.project.discovery import (
    check_discovery,
    import_declaring_modules,
    not_importable,
)
from dlq.types import Source

if TYPE_CHECKING:
    from dlq.config.settings import Settings

CRON_ERRORS = "dlq.E2"


class Project(NamedTuple):
    """`resolution` is None where the Django settings could not be had, so that there is nothing to
    resolve; `findings` then say why. `is_found` is False where there is no settings module at all.
    """

    resolution: Resolution | None
    declarations: tuple[Declaration, ...] = ()
    cron: CronConfiguration = CronConfiguration()
    findings: tuple[Finding, ...] = ()
    is_found: bool = True

    @property
    def is_readable(self) -> bool:
        """Whether all that was named could be read. What it says may still be wrong."""
        return self.is_found and all(f.id != rules.E003.id for f in self.findings)


class StartDirectory:
    """The directory that the paths of a command line are relative to, also after the settings
    module has changed the working directory."""

    def __init__(self) -> None:
        self._directory = _working_directory()

    def paths(self, paths: Sequence[str]) -> list[str]:
        """The paths as given, or from this directory where another is the working directory now."""
        if not self._directory or _working_directory() == self._directory:
            return list(paths)
        return [os.path.join(self._directory, path) for path in paths]


def _working_directory() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was deleted
        return ""


def load_project(
    settings: str | None,
    override_files: Sequence[str] = (),
    *,
    exact: bool = False,
    cron: bool = True,
) -> Project:
    """Find Django, resolve the configuration, put it in force, import tasks, read cron rows.

    Raises UsageError where there is no settings module to be found.
    """
    from dlq.config.resolve import resolve_command
    from dlq.project.check_imports import check_imports
    from dlq.project.check_queues import check_declared_queues
    from dlq.project.locate import prepare

    start = StartDirectory()
    module = prepare(settings)
    broken = _load_settings(module)
    if broken is not None:
        return broken
    resolution = resolve_command(start.paths(override_files), exact=exact)
    active.install(resolution)
    findings = [*resolution.findings, *_set_up(resolution)]
    found = CronConfiguration()
    if not any(finding.id == rules.E023.id for finding in findings):
        findings += check_old_name()
        findings += check_imports(resolution)
        findings += check_declared_queues(project_declarations())
        findings += _check_discovery(resolution)
        if cron:
            found = load_rows()
            findings += found.findings
    return Project(resolution, project_declarations(), found, tuple(findings))


def load_settings(settings: str | None, override_files: Sequence[str] = ()) -> Project:
    """Find Django and resolve the configuration, without a look at the apps: what is in force can
    be shown also where they don't load. Raises UsageError."""
    from dlq.config.resolve import resolve_command
    from dlq.project.locate import prepare

    start = StartDirectory()
    if settings is not None or not is_django_configured():
        broken = _load_settings(prepare(settings))
        if broken is not None:
            return broken
    resolution = resolve_command(start.paths(override_files))
    active.install(resolution)
    return Project(resolution, findings=resolution.findings)


def require_settings(project: Project) -> Settings:
    """The settings, for a verb that does something with them; what is wrong with cron rows or with
    tasks doesn't stop it. Raises ConfigurationRefused."""
    wrong = [
        finding
        for finding in errors(project.findings)
        if not finding.id.startswith(CRON_ERRORS) and finding.id != rules.E024.id
    ]
    if wrong or project.resolution is None or project.resolution.settings is None:
        raise ConfigurationRefused("nothing was done: the settings have errors", wrong)
    return project.resolution.settings


SETTINGS_ERRORS = "dlq.E1"
BACKEND_ERRORS = {"dlq.E111", "dlq.E112"}
"""Of a class that cannot be used: nothing can be asked of its queues."""


def tolerate_violations(project: Project) -> Project:
    """Put what is valid in force, for a verb that looks at the servers or stops something there:
    its user has trouble already. The errors become warnings. Where they leave it open which server
    is meant, the project is returned as it is."""
    resolution = project.resolution
    tolerable = [
        finding
        for finding in errors(project.findings)
        if finding.id.startswith(SETTINGS_ERRORS) and finding.id not in BACKEND_ERRORS
    ]
    if resolution is None or resolution.usable is None or not tolerable:
        return project
    resolution = resolution._replace(settings=resolution.usable)
    active.install(resolution)
    findings = tuple(
        finding._replace(level="warning") if finding in tolerable else finding
        for finding in project.findings
    )
    return project._replace(resolution=resolution, findings=findings)


def tolerated(project: Project) -> list[Finding]:
    """The errors of the settings that `tolerate_violations` made warnings of."""
    return [
        finding
        for finding in project.findings
        if finding.id.startswith(SETTINGS_ERRORS) and finding.level == "warning"
    ]


def load_running_project() -> Project:
    """The project of a process in which Django is set up, as it is now."""
    from dlq.project.check_imports import check_imports
    from dlq.project.check_queues import check_declared_queues

    resolution = active.resolution()
    found = load_rows()
    findings = (
        *resolution.findings,
        *check_old_name(),
        *check_imports(resolution),
        *check_declared_queues(project_declarations()),
        *_check_discovery(resolution),
        *found.findings,
    )
    return Project(resolution, project_declarations(), found, findings)


def is_django_configured() -> bool:
    """Whether somebody else, manage.py for instance, has chosen Django's settings already."""
    from django.conf import settings

    return settings.configured


def import_settings(module: str) -> None:
    """Import Django's settings under observation, so that each value knows its line."""
    from django.conf import settings

    from dlq.config.settings import Settings, setting_names
    from dlq.project.locate import install_configuration
    from dlq.provenance.observed_settings import observe_settings

    install_configuration()
    names = [PREFIX + name for name in setting_names(Settings)]
    observe_settings(module, lambda: settings.INSTALLED_APPS, names)


def _load_settings(module: str) -> Project | None:
    """None where Django's settings could be imported, else what went wrong."""
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured

    try:
        if not settings.configured:
            import_settings(module)
    except ModuleNotFoundError as error:
        if error.name is not None and (module == error.name or module.startswith(f"{error.name}.")):
            finding = rules.E021.finding(
                f"there is no settings module {module!r}: {error.msg}",
                None,
                "run dlq in the project's directory, or name it: dlq --settings shop.settings",
            )
            return Project(None, findings=(finding,), is_found=False)
        return _raising_settings(module, error)
    except ImproperlyConfigured as error:
        finding = rules.E022.finding(f"settings module {module}: {error}", source_of_error(error))
        return Project(None, findings=(finding,))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return _raising_settings(module, error)
    return None


def _raising_settings(module: str, error: BaseException) -> Project:
    finding = rules.E022.finding(
        f"settings module {module} raises: {last_line(error)}",
        source_of_error(error),
        f'python -c "import {module}" shows the whole traceback',
    )
    return Project(None, findings=(finding,))


def _set_up(resolution: Resolution) -> list[Finding]:
    """Set Django up and import the tasks, as far as that goes."""
    import django
    from django.apps import apps

    if not apps.ready:
        try:
            django.setup()
        except TasksNotImportable as error:
            return not_importable(error)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return [
                rules.E023.finding(
                    f"Django cannot load the apps of INSTALLED_APPS: {last_line(error)}",
                    _source_of_apps_error(error),
                    "python manage.py check shows the whole traceback",
                )
            ]
    findings = []
    if not any(app.name in OUR_NAMES for app in apps.get_app_configs()):
        findings.append(
            rules.W025.finding(
                "dlq is not in INSTALLED_APPS", resolution_source(resolution), "add 'dlq' to it"
            )
        )
    return findings + import_declaring_modules(_ignored(resolution))


def _source_of_apps_error(error: BaseException) -> Source:
    """A line of the project's own code that took part; else the entry of INSTALLED_APPS that cannot
    be loaded, or the one that names dlq a second time."""
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured

    from dlq.provenance.observed_settings import DjangoSettingLocations

    if (source := project_source_of_error(error)) is not None:
        return source
    named = settings.INSTALLED_APPS
    observed = DjangoSettingLocations(settings)("INSTALLED_APPS")
    is_twice = isinstance(error, ImproperlyConfigured) and sum(map(_is_ours, named)) > 1
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    blamed = [
        str(index)
        for index, app in enumerate(named)
        if app == missing or (is_twice and _is_ours(app))
    ]
    return observed.items.get(blamed[-1], observed.source) if blamed else observed.source


def _is_ours(app: str) -> bool:
    return app.partition(".")[0] in OUR_NAMES


OUR_NAMES = ("dlq", OLD_PACKAGE)


def resolution_source(resolution: Resolution) -> Source:
    return Source("django", name=f"INSTALLED_APPS of {resolution.settings_module}")


def _check_discovery(resolution: Resolution) -> Iterable[Finding]:
    settings = resolution.settings
    modules = () if settings is None else settings.task_modules
    return check_discovery(project_declarations(), modules, _ignored(resolution))


def _ignored(resolution: Resolution) -> tuple[str, ...]:
    if resolution.settings is not None:
        return resolution.settings.ignore_apps
    value = resolution.values.get("IGNORE_APPS")
    return () if value is None else ignored_apps(value.value)


def project_declarations() -> tuple[Declaration, ...]:
    """All declarations, with the files as people would type them."""
    return tuple(
        declaration._replace(source=declaration.source._replace(file=display_path(file)))
        if (file := declaration.source.file) is not None
        else declaration
        for declaration in queues.declarations()
    )
