"""Python override files: executed, as in 4.11, and read by the names that they leave behind."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType

from dlq.config.layers import Layer
from dlq.config.settings import PREFIX, SETTING_NAMES
from dlq.config.sources.override_files import OverrideFile
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


def read_python_file(file: OverrideFile) -> Layer | None:
    """None where the file cannot be used; `file` has the findings."""
    module = _run(file)
    if module is None:
        return None
    namespace = vars(module)
    values = {
        name: copied(namespace[PREFIX + name])
        for name in SETTING_NAMES
        if PREFIX + name in namespace
    }
    places = FilePlaces(file.source, file.text, namespace)

    def location_of(name: str) -> SettingLocation:
        return places(PREFIX + name, values[name])

    def source_of(name: str) -> Source:
        return places(name, copied(namespace[name])).of_name

    for name in namespace:
        if name.startswith(FAMILY) and name.removeprefix(PREFIX) not in values:
            file.findings.append(unknown_setting(name, source_of(name)))
    bare = [name for name in SETTING_NAMES if name in namespace and name not in values]
    for name in places.written_here(bare):
        file.report(
            rules.E010 if file.exact else rules.W009,
            f"{name} in override file {file.given} has no effect: settings have a prefix",
            source_of(name),
            f"write {PREFIX}{name}",
        )
    return Layer("file", values, location_of)


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
