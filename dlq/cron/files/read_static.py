"""A cron.py that is read and not run: for checks without Django, and of files from strangers.

What its text alone tells is checked; the rest is said to be unchecked.
"""

from __future__ import annotations

from pathlib import Path

from dlq.cron.files.configuration import CronFile
from dlq.cron.files.file_result import Outcome, not_importable, row_of, shape_finding
from dlq.cron.files.row_locations import WHOLE, ConfigLocation, find_rows
from dlq.diagnostics.rules import cron as rules
from dlq.primitives.display_path import display_path
from dlq.types import Source


def read_text(path: Path, text: str) -> Outcome:
    source = Source("cron", file=display_path(path))
    name = ".".join([path.absolute().parent.name, path.stem])
    outcome = Outcome(CronFile(display_path(path), name, 0))
    try:
        locations = find_rows(text, source)
    except SyntaxError as error:
        outcome.findings.append(not_importable(name, path, source, error))
        return outcome
    except (ValueError, RecursionError) as error:
        outcome.findings.append(rules.E201.finding(f"cannot read {source.file}: {error}", source))
        return outcome
    if not locations:
        shape = shape_finding(name, False, None, source, ())
    else:
        shape = shape_finding(name, True, {} if locations[0].is_dict else (), source, locations)
    if shape is not None:
        outcome.findings.append(shape)
        return outcome
    for location in locations:
        _read_config(location, outcome, source)
    outcome.findings.append(
        rules.I217.finding(
            f"commands and their arguments were not looked up in {source.file} (--no-django)",
            source,
        )
    )
    return outcome


def _read_config(location: ConfigLocation, outcome: Outcome, source: Source) -> None:
    at = location.config or source
    if not location.exact:
        message = "CONFIG is computed, so rows may be missing here: the file was not run"
        outcome.findings.append(rules.I217.finding(message, at))
    if not location.rows:
        message = f"no row of {source.file} could be read"
        outcome.findings.append(rules.W209.finding(message, at))
    name = outcome.file.module
    outcome.file = CronFile(outcome.file.path, name, outcome.file.row_count + len(location.rows))
    for index, row_location in enumerate(location.rows):
        if row_location is None:
            message = f"row {index + 1} is computed: the file was not run"
            outcome.findings.append(rules.I217.finding(message, at))
            continue
        if WHOLE in row_location.values:
            row_of(row_location.values[WHOLE], name, index, row_location, outcome.findings)
            continue
        computed = sorted(row_location.keys - row_location.values.keys())
        for key in computed:
            message = f"the value of {key!r} is computed: the file was not run"
            outcome.findings.append(rules.I217.finding(message, row_location.of(key)))
        row = row_of(
            dict(row_location.values),
            name,
            index,
            row_location,
            outcome.findings,
            unknown=None if not row_location.complete else computed,
        )
        if row is not None and not computed and row_location.complete:
            outcome.rows.append(row)
