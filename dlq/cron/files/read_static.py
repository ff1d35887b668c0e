"""A cron.py that is read and not run: for checks without Django, and of files from strangers.

What its text alone tells is checked; the rest is said to be unchecked.
"""

from __future__ import annotations

from pathlib import Path

from dlq.cron.files.configuration import CronFile
from dlq.cron.files.file_result import Outcome, not_importable, row_of, shape_finding
from dlq.cron.files.row_locations import WHOLE, ConfigPlace, find_rows
from dlq.diagnostics.rules import cron as rules
from dlq.primitives.display_path import display_path
from dlq.types import Source


def read_text(path: Path, text: str) -> Outcome:
    source = Source("cron", file=display_path(path))
    name = ".".join([path.absolute().parent.name, path.stem])
    outcome = Outcome(CronFile(display_path(path), name, 0))
    try:
        places = find_rows(text, source)
    except SyntaxError as error:
        outcome.findings.append(not_importable(name, path, source, error))
        return outcome
    except (ValueError, RecursionError) as error:
        outcome.findings.append(rules.E201.finding(f"cannot read {source.file}: {error}", source))
        return outcome
    if not places:
        shape = shape_finding(name, False, None, source, ())
    else:
        shape = shape_finding(name, True, {} if places[0].is_dict else (), source, places)
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


def _read_place(place: ConfigPlace, outcome: Outcome, source: Source) -> None:
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
            row_of(row_place.values[WHOLE], name, index, row_place, outcome.findings)
            continue
        computed = sorted(set(row_place.at_value) - set(row_place.values))
        for key in computed:
            message = f"the value of {key!r} is computed: the file was not run"
            outcome.findings.append(rules.I217.finding(message, row_place.of(key)))
        row = row_of(
            dict(row_place.values),
            name,
            index,
            row_place,
            outcome.findings,
            unknown=None if not row_place.complete else computed,
        )
        if row is not None and not computed and row_place.complete:
            outcome.rows.append(row)
