"""Override files, read into layers: Python (executed, as in 4.11), TOML and JSON.

TOML and JSON are read by the sources of pydantic-settings; they come with a command line only, so
no web process pays for that import. Which layer wins is not their business: see `merge`.
"""

from __future__ import annotations

import json
import os
import re
import stat
import tokenize
import tomllib
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from dlq.config.layers import Layer
from dlq.config.settings import PREFIX, SETTING_NAMES
from dlq.config.sources.django_and_environment import FAMILY
from dlq.config.sources.text_values import without_doubles
from dlq.config.sources.unknown_names import close_setting, unknown_setting
from dlq.diagnostics.finding import Finding, Rule
from dlq.diagnostics.rules import project as rules
from dlq.primitives.frozen import copied
from dlq.provenance.document_places import document_places
from dlq.provenance.file_places import FilePlaces
from dlq.provenance.setting_location import SettingLocation
from dlq.types import Source

MODULE_NAME = "extra_settings"
"""What a Python override file is called while it runs, as in 4.11. It is no module of the project:
it is in no package, and not in sys.modules."""

KINDS = (".py", ".toml", ".json")


@dataclass(slots=True)
class _Reading:
    """One override file, while it is read. `shown` is its path as it was given."""

    path: Path
    shown: str
    exact: bool
    findings: list[Finding] = field(default_factory=list)

    @property
    def source(self) -> Source:
        return Source("file", file=self.shown)

    def tell(
        self, rule: Rule, message: str, source: Source | None = None, help: str | None = None
    ) -> None:
        self.findings.append(rule.finding(message, source or self.source, help))


def file_layer(given: str | os.PathLike[str], *, exact: bool) -> tuple[Layer, list[Finding]]:
    """A file that cannot be used gives an empty layer and a finding that says why. `exact`: it is
    the whole configuration, so a name that has no effect is an error."""
    path = Path(given)
    reading = _Reading(path, os.fspath(given), exact)
    layer = _read(reading) or Layer("file", {}, lambda name: SettingLocation(reading.source))
    return layer, reading.findings


def _read(reading: _Reading) -> Layer | None:
    path = reading.path
    if path.suffix.lower() not in KINDS:
        help = (
            "write it as TOML: there is no YAML here"
            if path.suffix.lower() in {".yaml", ".yml"}
            else "the kinds are .py, .toml and .json"
        )
        reading.tell(
            rules.E011, f"override file {reading.shown}: its kind is not known", None, help
        )
        return None
    text = _text(reading)
    if text is None:
        return None
    if "\0" in text:
        reading.tell(rules.E004, f"override file {reading.shown} has a NUL at {text.index(chr(0))}")
        return None
    _check_permissions(reading)
    if path.suffix.lower() == ".py":
        return _python(reading, text)
    content = _document(reading, text)
    return None if content is None else _from_document(reading, text, content)


def _text(reading: _Reading) -> str | None:
    path = reading.path
    absolute = "" if path.is_absolute() else f" ({path.absolute()})"
    try:
        if path.suffix.lower() == ".py":
            with tokenize.open(path) as file:
                return file.read()
        return path.read_bytes().decode()
    except OSError as error:
        reading.tell(
            rules.E003,
            f"cannot read override file {reading.shown}{absolute}: {error.strerror}",
            None,
            "paths are relative to the directory that the command runs in"
            if isinstance(error, FileNotFoundError)
            else None,
        )
    except UnicodeDecodeError as error:
        reading.tell(
            rules.E004, f"override file {reading.shown} is not UTF-8 at byte offset {error.start}"
        )
    except SyntaxError as error:
        reading.tell(rules.E004, f"override file {reading.shown}: {error.msg}")
    return None


def _check_permissions(reading: _Reading) -> None:
    """Whoever can write the file chooses what code a worker imports, in TOML and JSON too."""
    state = os.stat(reading.path)
    if state.st_mode & stat.S_IWOTH:
        reading.tell(
            rules.W008,
            f"override file {reading.shown} decides what code runs, and everybody can write it",
            None,
            f"chmod go-w {reading.shown}",
        )
    elif state.st_uid not in (0, os.geteuid()):
        reading.tell(
            rules.W008,
            f"override file {reading.shown} decides what code runs, and another user"
            f" (uid {state.st_uid}) owns it",
            None,
            f"chown {os.geteuid()} {reading.shown}",
        )


def _python(reading: _Reading, text: str) -> Layer | None:
    module = _run(reading, text)
    if module is None:
        return None
    namespace = vars(module)
    values = {
        name: copied(namespace[PREFIX + name])
        for name in SETTING_NAMES
        if PREFIX + name in namespace
    }

    places = FilePlaces(reading.source, text, namespace)

    def place(name: str) -> SettingLocation:
        return places(PREFIX + name, values[name])

    def source_of(name: str) -> Source:
        return places(name, copied(namespace[name])).of_name

    for name in namespace:
        if name.startswith(FAMILY) and name.removeprefix(PREFIX) not in values:
            reading.findings.append(unknown_setting(name, source_of(name)))
    bare = [name for name in SETTING_NAMES if name in namespace and name not in values]
    for name in places.written_here(bare):
        _without_prefix(reading, name, source_of(name))
    return Layer("file", values, place)


def _run(reading: _Reading, text: str) -> ModuleType | None:
    """Compiled from the text that was read, and not by the import system: a stale .pyc would show
    the values of one text with the lines of another."""
    spec = spec_from_file_location(MODULE_NAME, reading.path.absolute())
    if spec is None:
        return None
    module = module_from_spec(spec)
    filename = str(reading.path.absolute())
    try:
        exec(compile(text, filename, "exec", dont_inherit=True), vars(module))
    except SyntaxError as error:
        _syntax_error(reading, filename, error)
    except (Exception, SystemExit) as error:
        line = _line_in(filename, error)
        place = reading.source if line is None else reading.source.at(line)
        reading.tell(
            rules.E005,
            f"override file {reading.shown} raises {type(error).__name__}: {error}",
            place,
            "settings files are executed: mend the line, or use TOML, which holds no code",
        )
    else:
        return module
    return None


def _syntax_error(reading: _Reading, filename: str, error: SyntaxError) -> None:
    """In the file itself, or in a module that it imports."""
    if error.filename != filename:
        place: Source | None = Source("file", file=error.filename)
    else:
        place = reading.source
    if place is not None and error.lineno is not None:
        same_line = error.end_lineno == error.lineno
        place = place.at(
            error.lineno, error.offset or None, (error.end_offset or None) if same_line else None
        )
    reading.tell(rules.E004, f"override file {reading.shown}: {error.msg}", place)


def _line_in(filename: str, error: BaseException) -> int | None:
    """The deepest line of the file that took part."""
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == filename
    ]
    return lines[-1] if lines else None


def _without_prefix(reading: _Reading, name: str, source: Source) -> None:
    rule = rules.E010 if reading.exact else rules.W009
    reading.tell(
        rule,
        f"{name} in override file {reading.shown} has no effect: settings have a prefix",
        source,
        f"write {PREFIX}{name}",
    )


def _document(reading: _Reading, text: str) -> Mapping[str, object] | None:
    # Here and not above: the import costs what half of `import django` does.
    from pydantic_settings import BaseSettings, JsonConfigSettingsSource, TomlConfigSettingsSource

    path = reading.path.absolute()
    try:
        if reading.path.suffix.lower() == ".toml":
            return TomlConfigSettingsSource(BaseSettings, path).toml_data
        # Asked beforehand, because the reader takes the last of two equal keys, and an empty file.
        if not isinstance(json.loads(text, object_pairs_hook=without_doubles), dict):
            reading.tell(
                rules.E004,
                f"override file {reading.shown}: the content must be a JSON object",
                None,
                'as in {"workers": {"emails": 3}}',
            )
            return None
        return JsonConfigSettingsSource(BaseSettings, path, "utf-8").json_data
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\s*\(at line (\d+), column (\d+)\)", str(error))
        message = str(error).replace(found[0], "") if found else str(error)
        place = reading.source.at(int(found[1]), int(found[2])) if found else reading.source
        reading.tell(rules.E004, f"override file {reading.shown}: {message}", place)
    except json.JSONDecodeError as error:
        place = reading.source.at(error.lineno, error.colno)
        reading.tell(rules.E004, f"override file {reading.shown}: {error.msg}", place)
    except RecursionError:
        reading.tell(rules.E004, f"override file {reading.shown} is nested too deep")
    except ValueError as error:  # a key twice, a number of more digits than Python reads
        reading.tell(rules.E004, f"override file {reading.shown}: {error}")
    return None


def _from_document(reading: _Reading, text: str, content: Mapping[str, object]) -> Layer:
    places = document_places(reading.source, text, content, reading.path.suffix.lower())
    values: dict[str, object] = {}
    for key, value in content.items():
        name = key.upper()
        if key == key.lower() and name in SETTING_NAMES:
            values[name] = copied(value)
            continue
        source = places(key).of_name
        meant = close_setting(key)
        finding = unknown_setting(key, source)
        help = f"did you mean {meant.lower()}?" if meant else "dlq config schema lists the keys"
        rule = rules.E010 if reading.exact else rules.W002
        reading.tell(rule, f"{finding.message} in override file {reading.shown}", source, help)
    return Layer("file", values, lambda name: places(name.lower()))
