"""Python override files: executed, as in 4.11, and read by the names that they leave behind."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType

from dlq.config import PREFIX
from dlq.config.settings import Settings
from dlq.config.sources.override_files import OverrideFile, OverrideFileSource
from dlq.config.sources.unknown_names import FAMILY, unknown_setting
from dlq.diagnostics.rules import project as rules
from dlq.diagnostics.user_exceptions import at_syntax_error, line_in
from dlq.primitives.frozen import copied
from dlq.provenance.observed_settings import FileLocations
from dlq.provenance.setting_location import SettingLocation
from dlq.types import Source

MODULE_NAME = "extra_settings"
"""The name of a Python override file while it runs, as in 4.11. It is no module of the project: it
is in no package, and not in sys.modules."""


class PythonFileSource(OverrideFileSource):
    """The settings that the file leaves behind as names with the prefix."""

    def __init__(self, settings_class: type[Settings], file: OverrideFile) -> None:
        super().__init__(settings_class, file)
        locations = _run(file, self.names)
        if locations is None:
            return
        self._locations = locations
        namespace = vars(locations.module)
        for name in self.names:
            if PREFIX + name in namespace:
                self.values[name] = copied(namespace[PREFIX + name])
        self._report_names(namespace)

    def _report_names(self, namespace: Mapping[str, object]) -> None:
        """Report names that look like settings and have no effect."""
        file = self.file
        for name in namespace:
            if name.startswith(FAMILY) and name.removeprefix(PREFIX) not in self.values:
                source = self._locations(name).of_name
                file.findings.append(unknown_setting(name, source, self.names))
        for name in self.names:
            if name in self._locations.assigned and name not in self.values:
                file.report(
                    rules.E010 if file.exact else rules.W009,
                    f"{name} in override file {file.given} has no effect: settings have a prefix",
                    self._locations(name).of_name,
                    f"write {PREFIX}{name}",
                )

    def location_of(self, name: str) -> SettingLocation:
        return self._locations(PREFIX + name)


def _run(file: OverrideFile, names: Collection[str]) -> FileLocations | None:
    """Compile and execute the text that was read, and not by the import system: a stale .pyc would
    show the values of one text with the lines of another."""
    filename = str(file.path.absolute())
    observed = [*names, *(PREFIX + name for name in names)]
    try:
        code = compile(file.text, filename, "exec", dont_inherit=True)
        action = partial(execute, file.path.absolute(), code)
        return FileLocations(code, action, observed, file.source, file.text)
    except SyntaxError as error:
        _report_syntax_error(file, filename, error)
    except (Exception, SystemExit) as error:
        line = line_in(file.path.absolute(), error)
        file.report(
            rules.E005,
            f"override file {file.given} raises {type(error).__name__}: {error}",
            file.source if line is None else file.source.at(line),
            "settings files are executed: fix the line, or use TOML, which holds no code",
        )
    return None


def execute(filename: Path, code: CodeType) -> ModuleType:
    """Run the code of an override file in a module of its own, and return that module."""
    spec = spec_from_file_location(MODULE_NAME, filename)
    assert spec is not None  # the name ends with .py
    module = module_from_spec(spec)
    exec(code, vars(module))
    return module


def _report_syntax_error(file: OverrideFile, filename: str, error: SyntaxError) -> None:
    """Report an error of the file itself, or of a module that it imports."""
    source = file.source if error.filename == filename else Source("file", file=error.filename)
    file.report(
        rules.E004, f"override file {file.given}: {error.msg}", at_syntax_error(source, error)
    )
