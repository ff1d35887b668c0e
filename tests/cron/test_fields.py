"""Our reading of cron text and cronsim's agree, whatever the text is: both or neither accept it."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from typing import Any

import pytest
from cronsim import CronSim, CronSimError
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dlq.cron.rows.consistency import review
from dlq.cron.rows.constraints import Violation
from dlq.cron.rows.fields import SCHEDULE, Field, FieldViolation, checked_schedule
from dlq.cron.rows.row import CronRow, InvalidRow, parse_row
from dlq.cron.rows.schedule import in_words, never_fires, upcoming

START = datetime(2024, 1, 1, tzinfo=UTC)


def term(field: Field) -> st.SearchStrategy[str]:
    number = st.integers(field.low, field.high + 1).map(str)
    value = st.one_of(number, st.sampled_from([*field.names, "L", "LW", "mon", "0"]))
    spans = st.one_of(value, st.just("*"), st.tuples(value, value).map("-".join))
    step = st.sampled_from(["", "/1", "/2", "/15", "/0", "/", "L", "#2", "#6"])
    return st.tuples(spans, step).map("".join)


def field_text(field: Field) -> st.SearchStrategy[str]:
    """Right more often than not: five of them make a schedule."""
    right = st.integers(field.low, field.high).map(str) | st.just("*")
    odd = st.text("0123456789*,-/L#?", min_size=1, max_size=4)
    return st.one_of(right, right, right, st.lists(term(field), max_size=3).map(",".join), odd)


EXPRESSIONS = st.tuples(*map(field_text, SCHEDULE)).map(" ".join)


@settings(max_examples=500, deadline=None)
@given(EXPRESSIONS)
@example("0 0 31 2 *")
@example("0 0 L/2 * *")
@example("0 0 * * 5L,1#2,mon-fri/2")
def test_what_we_accept_and_what_cronsim_accepts_is_the_same(expression: str) -> None:
    checked = accepted(expression)
    if is_accepted_by_cronsim(expression):
        assert checked is not None
    else:
        # A day that no month has is no mistake of spelling: it is told as a row that never fires.
        assert checked is None or never_fires(checked)
    if checked is not None:
        assert in_words(checked)
        runs = list(islice(upcoming(checked, START, "Europe/Berlin"), 2))
        assert bool(runs) != never_fires(checked)


def accepted(expression: str) -> str | None:
    try:
        return checked_schedule(expression)
    except FieldViolation:
        return None


def is_accepted_by_cronsim(expression: str) -> bool:
    try:
        CronSim(expression, START.replace(tzinfo=None))
    except CronSimError:
        return False
    return True


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
KEYS = [*CronRow.model_fields, "minute", "", "é"]


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS) | st.integers(), JSON, max_size=8))
def test_a_row_of_anything_is_a_row_or_is_told_what_is_wrong(raw: dict[Any, Any]) -> None:
    row = parsed(raw)
    if isinstance(row, CronRow):
        assert len(row.identity) == 16
        review([row])
    else:
        assert row
        assert all(violation.message for violation in row)


def parsed(raw: dict[Any, Any]) -> CronRow | tuple[Violation, ...]:
    try:
        return parse_row(raw)
    except InvalidRow as invalid:
        return invalid.violations


@pytest.mark.parametrize("value", [float("nan"), b"x", {1}, object()])
def test_values_of_odd_types_are_told(value: object) -> None:
    for key in ("command", "minutes", "schedule", "queue", "timeout", "command_args", "atomic"):
        with pytest.raises(InvalidRow):
            parse_row({"command": "check", "schedule": "* * * * *", key: value})
