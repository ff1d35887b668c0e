"""Python override files: executed, as in 4.11, and read by the names that they leave behind."""

from __future__ import annotations

from collections.abc import Mapping
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
from dlq.provenance.file_places import FilePlaces
from dlq.provenance.setting_location import SettingLocation
from dlq.types import Source

MODULE_NAME = "extra_settings"
"""The name of a Python override file while it runs, as in 4.11. It is no module of the project: it
is in no package, and not in sys.modules."""


class PythonFileSource(OverrideFileSource):
    """The settings that the file leaves behind as names with the prefix."""

    def __init__(self, settings_class: type[Settings], file: OverrideFile) -> None:
        super().__init__(settings_class, file)
        module = _run(file)
        if module is None:
            return
        namespace = vars(module)
        self._places = FilePlaces(file.source, file.text, namespace)
        for name in self.names:
            if PREFIX + name in namespace:
                self.values[name] = copied(namespace[PREFIX + name])
        self._report_names(namespace)

    def _report_names(self, namespace: Mapping[str, object]) -> None:
        """Report names that look like settings and have no effect."""
        file = self.file

        def source_of(name: str) -> Source:
            return self._places(name, copied(namespace[name])).of_name

        for name in namespace:
            if name.startswith(FAMILY) and name.removeprefix(PREFIX) not in self.values:
                file.findings.append(unknown_setting(name, source_of(name), self.names))
        bare = [name for name in self.names if name in namespace and name not in self.values]
        for name in self._places.written_here(bare):
            file.report(
                rules.E010 if file.exact else rules.W009,
                f"{name} in override file {file.given} has no effect: settings have a prefix",
                source_of(name),
                f"write {PREFIX}{name}",
            )

    def location_of(self, name: str) -> SettingLocation:
        return self._places(PREFIX + name, self.values[name])


def _run(file: OverrideFile) -> ModuleType | None:
    """Compile and execute the text that was read, and not by the import system: a stale .pyc would
    show the values of one text with the lines of another."""
    filename = file.path.absolute()
    try:
        return execute(filename, compile(file.text, str(filename), "exec", dont_inherit=True))
    except SyntaxError as error:
        _report_syntax_error(file, str(filename), error)
    except (Exception, SystemExit) as error:
        line = line_in(filename, error)
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
