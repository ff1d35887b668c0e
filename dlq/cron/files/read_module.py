"""The rows of the apps' cron.py files, or of single files, and everything that is wrong with them.

A cron.py is the user's code: it is imported and its CONFIG is read, never changed. Without Django a
file is not run; what its text alone tells is checked, and the rest is said to be unchecked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from dlq.cron.files.configuration import CronConfiguration, CronFile
from dlq.cron.files.file_result import (
    Outcome,
    finding_of,
    not_importable,
    row_of,
    shape_finding,
    text_of,
)
from dlq.cron.files.read_static import read_text
from dlq.cron.files.row_locations import ConfigLocation, RowLocation, find_rows
from dlq.cron.rows.command_check import CommandCheck
from dlq.cron.rows.consistency import review
from dlq.diagnostics.finding import in_reading_order
from dlq.diagnostics.rules import cron as rules
from dlq.errors import UsageError
from dlq.primitives.display_path import display_path
from dlq.primitives.text import short_repr
from dlq.types import Source


def read_modules(names: Iterable[str], *, commands: bool) -> CronConfiguration:
    """The rows of these modules, which are imported."""
    check = CommandCheck() if commands else None
    return _configuration(_read_module(name, check) for name in names)


def check_files(paths: Iterable[str], *, django: bool) -> CronConfiguration:
    """The rows of single files. Raises UsageError for a path that cannot be read.

    With `django`, which must be set up, a file is run like an app's; without, it is only read.
    """
    files = [(Path(path), text_of(Path(path))) for path in paths]
    check = CommandCheck()
    return _configuration(
        _check_file(path, check) if django else read_text(path, text) for path, text in files
    )


def _configuration(outcomes: Iterable[Outcome]) -> CronConfiguration:
    outcomes = list(outcomes)
    rows = [row for outcome in outcomes for row in outcome.rows]
    findings = [finding for outcome in outcomes for finding in outcome.findings]
    findings += review(rows)
    return CronConfiguration(
        tuple(rows),
        tuple(in_reading_order(findings)),
        tuple(outcome.file for outcome in outcomes),
    )


def _read_module(name: str, commands: CommandCheck | None) -> Outcome:
    spec = find_spec(name)
    path = Path(spec.origin) if spec is not None and spec.origin is not None else Path(name)
    return _read(path, name, lambda: import_module(name), commands)


def _check_file(path: Path, commands: CommandCheck) -> Outcome:
    name = _module_of(path)
    if name is not None:
        return _read(path, name, lambda: import_module(name), commands)
    return _read(path, path.stem, lambda: _run_file(path), commands)


def _module_of(path: Path) -> str | None:
    """The name under which this very file would be imported, if it can be at all."""
    path = path.resolve()
    parts = [] if path.name == "__init__.py" else [path.stem]
    folder = path.parent
    while (folder / "__init__.py").is_file():
        parts.insert(0, folder.name)
        folder = folder.parent
    name = ".".join(parts)
    try:
        spec = find_spec(name) if len(parts) > 1 else None
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None or Path(spec.origin).resolve() != path:
        return None
    return name


def _run_file(path: Path) -> ModuleType:
    spec = spec_from_file_location(f"dlq_checked_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} has no name that ends in .py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _read(
    path: Path, name: str, load: Callable[[], ModuleType], commands: CommandCheck | None
) -> Outcome:
    source = Source("cron", file=display_path(path))
    outcome = Outcome(CronFile(display_path(path), name, 0))
    try:
        module = load()
    except (Exception, SystemExit) as error:
        outcome.findings.append(not_importable(name, path, source, error))
        return outcome
    locations = _locations(path, source)
    config = getattr(module, "CONFIG", ())
    shape = shape_finding(name, hasattr(module, "CONFIG"), config, source, locations)
    if shape is not None:
        outcome.findings.append(shape)
        return outcome
    outcome.file = CronFile(display_path(path), name, len(config))
    if not config:
        at = locations[0].config if locations and locations[0].config else source
        outcome.findings.append(rules.W209.finding(f"CONFIG of {name} has no rows", at))
    locate = _location_of(config, locations)
    for index, raw in enumerate(config):
        location = locate(index, raw) or RowLocation(source)
        row = row_of(raw, name, index, location, outcome.findings)
        if row is not None:
            outcome.rows.append(row)
            if commands is not None:
                for violation in commands.violations(row):
                    label = f"{name} CONFIG[{index}]"
                    outcome.findings.append(finding_of(violation, location, label))
    return outcome


def _locations(path: Path, source: Source) -> tuple[ConfigLocation, ...]:
    """What the text says, for a module that did import; nothing where it cannot be read."""
    try:
        return find_rows(text_of(path), source)
    except (UsageError, SyntaxError, ValueError, RecursionError):
        return ()


def _location_of(
    config: Sequence[object], locations: tuple[ConfigLocation, ...]
) -> Callable[[int, object], RowLocation | None]:
    """The source location of a row: by its number, in a value of CONFIG that agrees with all rows,
    or else the one location in the file that agrees with this row."""
    for location in locations:
        if location.exact and len(location.rows) == len(config):
            pairs = zip(location.rows, config, strict=True)
            if all(at is None or at.agrees(row) for at, row in pairs):
                return lambda index, row: location.rows[index]
    by_command: dict[str, list[RowLocation]] = {}
    for location in locations:
        for at in location.rows:
            if at is not None and "command" in at.values:
                by_command.setdefault(short_repr(at.values["command"]), []).append(at)

    def only_one(index: int, row: object) -> RowLocation | None:
        command = row.get("command") if isinstance(row, dict) else None
        agreeing = [at for at in by_command.get(short_repr(command), ()) if at.agrees(row)]
        return agreeing[0] if len(agreeing) == 1 else None

    return only_one
