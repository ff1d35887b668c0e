"""From the apps' cron.py files, or single files, to rows and everything that is wrong with them.

A cron.py is the user's code: it is imported and its CONFIG is read, never changed. Without Django a
file is not run; what its text alone tells is checked, and the rest is said to be unchecked.
"""

from __future__ import annotations

import tokenize
import traceback
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from dlq.cron.commands import command_problems
from dlq.cron.places import WHOLE, ConfigPlace, RowPlace, find_rows
from dlq.cron.review import check_queues, implied_queues, review
from dlq.cron.spec import CronRow, InvalidRow, Problem, parse_row
from dlq.discovery import app_modules
from dlq.errors import UsageError
from dlq.findings import Finding, Rule, in_reading_order
from dlq.rules import cron as rules
from dlq.types import Source

__all__ = (
    "CronConfiguration",
    "CronFile",
    "check_files",
    "check_queues",
    "implied_queues",
    "load_rows",
)

OUR_OWN = ("dlq.cron", "django_lightweight_queue.cron")
"""dlq is an installed app itself, and its package of this name is for another purpose."""

EXAMPLE = 'CONFIG = ({"command": "…", "minutes": "0", "hours": "*"},)'


@dataclass(frozen=True, slots=True)
class CronFile:
    """A cron.py that was looked at. `written` counts its rows, wrong ones included."""

    path: str
    module: str
    written: int


@dataclass(frozen=True, slots=True)
class CronConfiguration:
    """`rows` are the valid ones, in the order of the apps and their CONFIG."""

    rows: tuple[CronRow, ...] = ()
    findings: tuple[Finding, ...] = ()
    files: tuple[CronFile, ...] = ()

    @property
    def written(self) -> int:
        """How many rows were looked at."""
        return sum(file.written for file in self.files)


def load_rows(ignored: Collection[str], *, commands: bool = True) -> CronConfiguration:
    """The rows of every installed app that isn't ignored. `commands=False` leaves out the look at
    each command and its parser, which imports the commands' modules."""
    return _configuration(
        _read_module(module, commands)
        for module in app_modules("cron", ignored)
        if module not in OUR_OWN
    )


def check_files(paths: Iterable[str], *, django: bool) -> CronConfiguration:
    """The rows of single files. Raises UsageError for a path that cannot be read.

    With `django`, which must be set up, a file is run like an app's; without, it is only read.
    """
    files = [(Path(path), _text(Path(path))) for path in paths]
    return _configuration(
        _check_file(path) if django else _read_text(path, text) for path, text in files
    )


@dataclass(slots=True)
class _Outcome:
    """What came of one file, while it is read."""

    file: CronFile
    rows: list[CronRow] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def _configuration(outcomes: Iterable[_Outcome]) -> CronConfiguration:
    outcomes = list(outcomes)
    rows = [row for outcome in outcomes for row in outcome.rows]
    findings = [finding for outcome in outcomes for finding in outcome.findings]
    findings += review(rows)
    return CronConfiguration(
        tuple(rows),
        tuple(in_reading_order(findings)),
        tuple(outcome.file for outcome in outcomes),
    )


def _text(path: Path) -> str:
    try:
        with tokenize.open(path) as file:
            return file.read()
    except SyntaxError as error:
        raise UsageError(f"cannot read {path}: {error.msg}") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"cannot read {path}: not UTF-8 at byte {error.start}") from None
    except OSError as error:
        raise UsageError(f"cannot read {path} ({path.absolute()}): {error.strerror}") from None


def shown_path(path: Path) -> str:
    """As a person would type it: relative to the working directory where it lies below that."""
    path = path.absolute()
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


# With Django: the file is imported.


def _read_module(name: str, commands: bool) -> _Outcome:
    spec = find_spec(name)
    path = Path(spec.origin) if spec is not None and spec.origin is not None else Path(name)
    return _read(path, name, lambda: import_module(name), commands)


def _check_file(path: Path) -> _Outcome:
    name = _module_of(path)
    if name is not None:
        return _read(path, name, lambda: import_module(name), commands=True)
    return _read(path, path.stem, lambda: _run_file(path), commands=True)


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


def _read(path: Path, name: str, load: Callable[[], ModuleType], commands: bool) -> _Outcome:
    source = Source("cron", file=shown_path(path))
    outcome = _Outcome(CronFile(shown_path(path), name, 0))
    try:
        module = load()
    except (Exception, SystemExit) as error:
        outcome.findings.append(_not_importable(name, path, source, error))
        return outcome
    places = _places(path, source)
    config = getattr(module, "CONFIG", ())
    shape = _shape_finding(name, hasattr(module, "CONFIG"), config, source, places)
    if shape is not None:
        outcome.findings.append(shape)
        return outcome
    outcome.file = CronFile(shown_path(path), name, len(config))
    if not config:
        at = places[0].config if places and places[0].config else source
        outcome.findings.append(rules.W209.finding(f"CONFIG of {name} has no rows", at))
    for index, raw in enumerate(config):
        place = _place_of(index, raw, config, places)
        row = _row(raw, name, index, place or RowPlace(source), outcome.findings)
        if row is not None:
            outcome.rows.append(row)
            if commands:
                for problem in command_problems(row):
                    outcome.findings.append(
                        _finding(problem, place or RowPlace(source), f"{name} CONFIG[{index}]")
                    )
    return outcome


def _not_importable(name: str, path: Path, source: Source, error: BaseException) -> Finding:
    message = f"cannot import {name}: {type(error).__name__}: {error}"
    if isinstance(error, SyntaxError) and error.filename is not None:
        where = Source("cron", file=shown_path(Path(error.filename)))
        if error.lineno is not None:
            where = where.at(error.lineno, error.offset, error.end_offset)
        return rules.E201.finding(f"cannot import {name}: {error.msg}", where)
    help = None
    for frame in traceback.extract_tb(error.__traceback__):
        if Path(frame.filename) == path or Path(frame.filename).resolve() == path.resolve():
            source = source.at(frame.lineno or 1)
            help = None
        elif source.line is not None and frame.lineno is not None:
            help = f"raised at {shown_path(Path(frame.filename))}:{frame.lineno}"
    return rules.E201.finding(message, source, help)


def _shape_finding(
    name: str, exists: bool, config: object, source: Source, places: tuple[ConfigPlace, ...]
) -> Finding | None:
    at = places[0].config if places and places[0].config else source
    if not exists:
        return rules.E202.finding(
            f"{name} has no CONFIG",
            source,
            f"add {EXAMPLE}, or list {_app(name)!r} in LIGHTWEIGHT_QUEUE_IGNORE_APPS"
            " if the module has another purpose",
        )
    if isinstance(config, Mapping):
        return rules.E202.finding(
            f"CONFIG of {name} is a dict, and must be a sequence of rows",
            at,
            "did you forget the comma after the closing brace? CONFIG = ({…},)",
        )
    if isinstance(config, str | bytes) or not isinstance(config, Sequence):
        return rules.E202.finding(
            f"CONFIG of {name} is of type {type(config).__name__}, and must be a sequence of rows",
            at,
            f"write a list or a tuple: {EXAMPLE}",
        )
    return None


def _places(path: Path, source: Source) -> tuple[ConfigPlace, ...]:
    """What the text says, for a module that did import; nothing where that can't be told."""
    try:
        return find_rows(_text(path), source)
    except (UsageError, SyntaxError, ValueError, RecursionError):
        return ()


def _place_of(
    index: int, raw: object, config: Sequence[object], places: tuple[ConfigPlace, ...]
) -> RowPlace | None:
    """Where this row is written: by its number, in a value of CONFIG that agrees with all rows, or
    else in the one place of the file that agrees with this row."""
    for place in places:
        if place.exact and len(place.rows) == len(config):
            pairs = zip(place.rows, config, strict=True)
            if all(at is None or at.agrees(row) for at, row in pairs):
                return place.rows[index]
    agreeing = [
        at
        for place in places
        for at in place.rows
        if at is not None and "command" in at.values and at.agrees(raw)
    ]
    return agreeing[0] if len(agreeing) == 1 else None


# Without Django: the file is read.


def _read_text(path: Path, text: str) -> _Outcome:
    source = Source("cron", file=shown_path(path))
    name = ".".join([path.absolute().parent.name, path.stem])
    outcome = _Outcome(CronFile(shown_path(path), name, 0))
    try:
        places = find_rows(text, source)
    except SyntaxError as error:
        outcome.findings.append(_not_importable(name, path, source, error))
        return outcome
    except (ValueError, RecursionError) as error:
        outcome.findings.append(rules.E201.finding(f"cannot read {source.file}: {error}", source))
        return outcome
    if not places:
        shape = _shape_finding(name, False, None, source, ())
    else:
        shape = _shape_finding(name, True, {} if places[0].is_dict else (), source, places)
    if shape is not None:
        outcome.findings.append(shape)
        return outcome
    for place in places:
        _read_place(place, outcome, source)
    outcome.findings.append(
        rules.I217.finding(
            f"commands and their arguments were not looked up in {source.file} (--no-django)",
            source,
        )
    )
    return outcome


def _read_place(place: ConfigPlace, outcome: _Outcome, source: Source) -> None:
    at = place.config or source
    if not place.exact:
        message = "CONFIG is computed, so rows may be missing here: the file was not run"
        outcome.findings.append(rules.I217.finding(message, at))
    if not place.rows:
        message = f"no row of {source.file} could be read"
        outcome.findings.append(rules.W209.finding(message, at))
    name = outcome.file.module
    outcome.file = CronFile(outcome.file.path, name, outcome.file.written + len(place.rows))
    for index, row_place in enumerate(place.rows):
        if row_place is None:
            message = f"row {index + 1} is computed: the file was not run"
            outcome.findings.append(rules.I217.finding(message, at))
            continue
        if WHOLE in row_place.values:
            _row(row_place.values[WHOLE], name, index, row_place, outcome.findings)
            continue
        computed = sorted(set(row_place.at_value) - set(row_place.values))
        for key in computed:
            message = f"the value of {key!r} is computed: the file was not run"
            outcome.findings.append(rules.I217.finding(message, row_place.of(key)))
        row = _row(
            dict(row_place.values),
            name,
            index,
            row_place,
            outcome.findings,
            unknown=None if not row_place.complete else computed,
        )
        if row is not None and not computed and row_place.complete:
            outcome.rows.append(row)


# Both ways: one row.


def _row(
    raw: object,
    module: str,
    index: int,
    place: RowPlace,
    findings: list[Finding],
    unknown: Collection[str] | None = (),
) -> CronRow | None:
    """The row, or None with its problems among `findings`. `unknown`: keys that are there with a
    value nobody knows; None where any key may be."""
    if not isinstance(raw, Mapping):
        findings.append(
            rules.E206.finding(
                f"cron row {index + 1} is {repr(raw)[:60]} ({type(raw).__name__}),"
                " and must be a dict",
                place.source,
            )
        )
        return None
    try:
        return parse_row(raw, app=_app(module), index=index, source=place.source)
    except InvalidRow as invalid:
        for problem in invalid.problems:
            if problem.code == "E203" and (unknown is None or _hides(problem.key, unknown)):
                continue
            findings.append(_finding(problem, place, f"{module} CONFIG[{index}]"))
        return None


def _hides(missing: str | None, unknown: Collection[str]) -> bool:
    return missing in unknown or ("schedule" in unknown and missing != "command")


def _finding(problem: Problem, place: RowPlace, label: str) -> Finding:
    rule: Rule = getattr(rules, problem.code)
    source = place.of(problem.key, at_key=problem.at_key)
    nowhere = source.line is None or problem.code == "E203"
    return rule.finding(
        f"{label}: {problem.message}" if nowhere else problem.message, source, problem.help
    )


def _app(module: str) -> str:
    return module.rpartition(".")[0] or module
