"""Rows as values: what is accepted, what is refused and in which words, and what names a row."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from cronsim import CronSim
from pydantic import ValidationError

from dlq.cron.rows.consistency import review
from dlq.cron.rows.constraints import Violation
from dlq.cron.rows.row import CronRow, InvalidRow, parse_row, unknown_keys
from dlq.cron.rows.schedule import in_words


def violations(**raw: Any) -> list[Violation]:
    with pytest.raises(InvalidRow) as caught:
        parse_row(raw)
    return list(caught.value.violations)


def only(**raw: Any) -> Violation:
    found = violations(**raw)
    assert len(found) == 1, found
    return found[0]


def test_the_defaults_are_those_of_411() -> None:
    row = parse_row({"command": "check", "minutes": "0", "hours": "*"})
    assert (row.queue, row.timeout, row.sigkill_on_stop) == ("cron", None, False)
    assert (row.days, row.command_args, dict(row.command_kwargs)) == ("*", (), {})
    assert (row.timezone, row.atomic) == (None, None)
    assert row.expression == "0 * * * *"


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        ("*", "*"),
        ("0", "0"),
        (5, "5"),
        ("0,30", "0,30"),
        (" 0 , 30 ", "0,30"),
        ([0, 30], "0,30"),
        ("07", "07"),
        ("9-17", "9-17"),
        ("*/5", "*/5"),
        ("0-30/10,45", "0-30/10,45"),
        ("5/15", "5/15"),
    ],
)
def test_a_field_takes_numbers_lists_ranges_and_steps(minutes: object, text: str) -> None:
    row = parse_row({"command": "check", "minutes": minutes, "hours": "*"})
    assert row.minutes == text


@pytest.mark.parametrize("days", ["*", 1, "7", "1-5", "6,7", "1-7/2", "mon-fri", "5L", "1#2"])
def test_days_are_weekdays_from_monday(days: object) -> None:
    row = parse_row({"command": "check", "minutes": "0", "hours": "0", "days": days})
    assert row.expression == f"0 0 * * {str(days).upper()}"


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("minutes", "60", "minutes '60': '60' is not a minute (0 to 59)"),
        ("minutes", "0,60", "minutes '0,60': '60' is not a minute (0 to 59)"),
        ("minutes", -1, "minutes -1: '-1' is not a minute (0 to 59)"),
        ("minutes", "5-1", "minutes '5-1': '5-1' runs backwards"),
        ("minutes", "*/0", "minutes '*/0': '*/0' has a step of 0"),
        ("minutes", "*/x", "minutes '*/x': '*/x' has no whole number after '/'"),
        ("minutes", "1,,2", "minutes '1,,2': a value is missing beside a comma"),
        ("minutes", "1;2", "minutes '1;2': '1;2' is not a minute (0 to 59)"),
        ("minutes", "1 2", "minutes '1 2': '1 2' is not a minute (0 to 59)"),
        ("minutes", "", "minutes '': it is empty"),
        ("minutes", "é", "minutes 'é': 'é' is not a minute (0 to 59)"),
        ("minutes", "²", "minutes '²': '²' is not a minute (0 to 59)"),
        ("minutes", "1-", "minutes '1-': '1-' is not a minute (0 to 59)"),
        ("minutes", "L", "minutes 'L': 'L' is not a minute (0 to 59)"),
        ("hours", "24", "hours '24': '24' is not an hour (0 to 23)"),
        ("days", "0", "days '0': '0' is not a weekday (1 to 7, Monday to Sunday)"),
        ("days", "8", "days '8': '8' is not a weekday (1 to 7, Monday to Sunday)"),
        ("days", 31, "days 31: '31' is not a weekday (1 to 7, Monday to Sunday)"),
        ("days", "1#6", "days '1#6': '1#6' has no number from 1 to 5 after '#'"),
        ("minutes", True, "'minutes' is True (bool), and must be text or a number"),
        ("minutes", None, "'minutes' is None, and must be text or a number"),
        ("minutes", 1.5, "'minutes' is 1.5 (float), and must be text or a number"),
        ("minutes", [], "'minutes' is [] (list), and must be text or a number"),
    ],
)
def test_a_bad_field_is_told_with_the_part_that_is_wrong(
    key: str, value: object, message: str
) -> None:
    raw = {"command": "check", "minutes": "0", "hours": "*", key: value}
    found = only(**raw)
    assert (found.code, found.key, found.message) == ("E205", key, message)


def test_a_day_of_the_month_in_days_is_told_where_it_belongs() -> None:
    help = only(command="check", minutes="0", hours="0", days=31).help
    assert help == "'days' are weekdays; for days of the month use 'schedule', as in '0 3 31 * *'"


@pytest.mark.parametrize("digits", ["9" * 5000, "1/" + "9" * 5000])
def test_a_number_of_any_length_is_a_mistake_and_no_crash(digits: str) -> None:
    assert only(command="check", minutes=digits, hours="*").code == "E205"


@pytest.mark.parametrize(
    "schedule",
    ["* * * * *", "*/5 9-17 * * 1-5", "0 0 1 jan sun", "0 0 L * *", "0 0 LW * 5L", "0 0 * * 0,7"],
)
def test_a_schedule_is_five_fields_of_cron(schedule: str) -> None:
    row = parse_row({"command": "check", "schedule": f"  {schedule}  "})
    assert row.expression == schedule.upper()
    assert next(CronSim(row.expression, datetime(2025, 1, 1))).year >= 2025


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        ("* * * *", "schedule '* * * *': it has 4 fields, and cron text has 5"),
        ("0 * * * * *", "schedule '0 * * * * *': it has 6 fields, and cron text has 5"),
        ("@reboot", "schedule '@reboot': there is no name '@reboot'"),
        (
            "0 24 * * *",
            "schedule '0 24 * * *': in the hour field, '24' is not an hour (0 to 23)",
        ),
        (
            "0 0 1 13 *",
            "schedule '0 0 1 13 *': in the month field, '13' is not a month (1 to 12)",
        ),
        (
            "0 0 * feb-jan *",
            "schedule '0 0 * feb-jan *': in the month field, 'feb-jan' runs backwards",
        ),
        (5, "'schedule' is 5 (int), and must be five fields of cron text"),
        (None, "'schedule' is None, and must be five fields of cron text"),
    ],
)
def test_a_bad_schedule_is_told_with_its_field(schedule: object, message: str) -> None:
    found = only(command="check", schedule=schedule)
    assert (found.code, found.message) == ("E205", message)


def test_what_is_missing_is_told() -> None:
    found = violations(hours="*")
    assert [(one.code, one.message) for one in found] == [
        ("E203", "'command' is required"),
        ("E203", "'minutes' is required"),
    ]
    assert found[1].help == "'*' for each minute"


def test_unknown_keys_are_told_with_what_was_meant() -> None:
    raw = {"command": "check", "minute": "0", "hours": "*", "minutes": "1", "nonsense": 1, 5: 1}
    assert parse_row(raw).minutes == "1"
    found = list(unknown_keys(raw, 0))
    assert [(one.code, one.key, one.at_key) for one in found] == [
        ("W204", "minute", True),
        ("W204", "nonsense", True),
        ("W204", None, True),
    ]
    assert found[0].message == "unknown key 'minute' in cron row 1 has no effect"
    assert found[0].help == "did you mean 'minutes'?"


@pytest.mark.parametrize("key", ["app", "index", "source", "expression", "identity"])
def test_a_row_cannot_set_what_only_the_reader_knows(key: str) -> None:
    raw = {"command": "check", "minutes": "0", "hours": "*", key: "x"}
    assert [one.key for one in unknown_keys(raw, 0)] == [key]
    assert parse_row(raw) == parse_row(BASE)


def test_both_spellings_of_a_schedule_are_refused() -> None:
    found = only(command="check", schedule="* * * * *", days="*")
    assert (found.code, found.key) == ("E207", "days")


@pytest.mark.parametrize(
    ("key", "value", "help"),
    [
        ("command", None, None),
        ("command", 5, "write '5'"),
        ("command", " ", None),
        ("queue", None, None),
        ("queue", "a b", "for instance 'a-b'"),
        ("queue", "x:pause", None),
        ("timeout", "30", "write 30"),
        ("timeout", 0, "leave it out for no limit"),
        ("timeout", -1, "leave it out for no limit"),
        ("timeout", True, None),
        ("timeout", float("nan"), "leave it out for no limit"),
        ("timeout", float("inf"), "leave it out for no limit"),
        ("timeout", 10**400, "leave it out for no limit"),
        ("sigkill_on_stop", "no", None),
        ("sigkill_on_stop", None, None),
        ("atomic", 1, None),
        ("command_args", "abc", "write ['abc']"),
        ("command_args", {"a": 1}, None),
        ("command_kwargs", ["a"], "write {'option': value}"),
        ("command_kwargs", {1: 1}, None),
        ("timezone", 1, "write '1'"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(key: str, value: object, help: str | None) -> None:
    found = only(**{"command": "check", "minutes": "0", "hours": "*", key: value})
    assert (found.code, found.key, found.help) == ("E206", key, help)
    assert key in found.message


@pytest.mark.parametrize(
    ("zone", "help"),
    [
        ("Berlin", "did you mean 'Europe/Berlin'?"),
        ("Europe/Brelin", "did you mean 'Europe/Berlin'?"),
        ("new york", "did you mean 'America/New_York'?"),
        ("+02:00", "use a name such as 'Europe/Berlin', or 'UTC'"),
        ("../../etc/passwd", "use a name such as 'Europe/Berlin', or 'UTC'"),
        ("a\0b", "use a name such as 'Europe/Berlin', or 'UTC'"),
    ],
)
def test_an_unknown_time_zone_is_refused(zone: str, help: str) -> None:
    found = only(command="check", minutes="0", hours="*", timezone=zone)
    assert (found.code, found.key, found.help) == ("E212", "timezone", help)


def test_every_argument_that_json_cannot_carry_is_told() -> None:
    found = violations(
        command="check",
        minutes="0",
        hours="*",
        command_args=["fine", {1, 2}, float("nan")],
        command_kwargs={"when": {"a": [b"x"]}},
    )
    assert [one.code for one in found] == ["E211", "E211"]
    assert "command_args[1] is of type builtins.set" in found[0].message
    assert "command_args[2] is nan" in found[0].message
    assert "command_kwargs['when']['a'][0] is of type builtins.bytes" in found[1].message


def test_all_mistakes_of_a_row_are_told_at_once() -> None:
    found = violations(minutes="60", hours="24", timeout="x", timezone="x")
    codes = sorted(one.code for one in found)
    assert codes == ["E203", "E205", "E205", "E206", "E212"]


def test_a_row_is_frozen_and_keeps_no_part_of_config() -> None:
    raw: dict[str, Any] = {
        "command": "check",
        "minutes": "0",
        "hours": "*",
        "command_args": [["a"]],
        "command_kwargs": {"tags": ["b"]},
    }
    row = parse_row(raw)
    raw["command_args"][0].append("x")
    raw["command_kwargs"]["tags"].append("x")
    assert row.command_args == (["a"],)
    assert dict(row.command_kwargs) == {"tags": ["b"]}
    with pytest.raises(ValidationError):
        row.command = "other"  # type: ignore[misc]  # that it is refused is what is tested


def test_a_timeout_keeps_its_type_for_the_stored_form() -> None:
    base = {"command": "check", "minutes": "0", "hours": "*"}
    assert repr(parse_row({**base, "timeout": 30}).timeout) == "30"
    assert repr(parse_row({**base, "timeout": 1.5}).timeout) == "1.5"


BASE = {"command": "check", "minutes": "0", "hours": "*"}


@pytest.mark.parametrize(
    "change",
    [
        {"timeout": 5},
        {"sigkill_on_stop": True},
        {"atomic": False},
        {"minutes": 0},
        {"days": "*"},
        {"queue": "cron"},
        {"command_args": ()},
    ],
)
def test_how_a_row_runs_and_how_it_is_spelt_do_not_change_its_identity(change: Any) -> None:
    assert parse_row({**BASE, **change}, app="b", index=7).identity == parse_row(BASE).identity


def test_the_new_spelling_of_a_schedule_keeps_the_identity() -> None:
    new = parse_row({"command": "check", "schedule": "0 * * * *"})
    assert new.identity == parse_row(BASE).identity


@pytest.mark.parametrize(
    "change",
    [
        {"command": "migrate"},
        {"minutes": 1},
        {"days": 1},
        {"queue": "other"},
        {"timezone": "Europe/Berlin"},
        {"command_args": ["x"]},
        {"command_kwargs": {"x": 1}},
    ],
)
def test_what_a_row_does_and_when_make_another_row(change: Any) -> None:
    assert parse_row({**BASE, **change}).identity != parse_row(BASE).identity


def test_the_identity_is_the_same_in_every_process() -> None:
    """It names marks on the server: a change here would double a run during a deploy."""
    row = CronRow(command="check", minutes="0", hours="*", command_kwargs={"b": 1, "a": [2]})
    assert row.identity == "78acc7aba4e81401"


@pytest.mark.parametrize(
    ("schedule", "expression"),
    [
        ("@daily", "0 0 * * *"),
        (" @Hourly ", "0 * * * *"),
        ("0 0 * * sat-sun", "0 0 * * SAT-7"),
        ("0 0 * * 5-0", "0 0 * * 5-7"),
        ("0 0 * * mon-fri", "0 0 * * MON-FRI"),
    ],
)
def test_names_of_crontab_and_ranges_to_sunday(schedule: str, expression: str) -> None:
    row = parse_row({"command": "check", "schedule": schedule})
    assert row.expression == expression
    assert next(CronSim(row.expression, datetime(2025, 1, 1))).year >= 2025


def test_days_may_run_to_sunday_by_name() -> None:
    row = parse_row({"command": "check", "minutes": 0, "hours": 0, "days": "sat-sun"})
    start = datetime(2025, 1, 1)
    assert sorted({next(CronSim(row.expression, start)).isoweekday()}) == [6]


def test_words_say_daily_where_one_of_the_day_fields_names_every_day() -> None:
    for expression in ("0 7 1-31 * 1", "0 7 1 * 0-6", "0 7 1 * 1-7"):
        assert in_words(expression) == in_words("0 7 * * *")
    assert "Monday" in in_words("0 7 1 * 1")


def test_a_step_above_its_range_is_reported() -> None:
    row = parse_row({"command": "check", "minutes": "*/90", "hours": "*/5"})
    assert [finding.id for finding in review([row])] == ["dlq.W219"]
    assert not review([parse_row(BASE)])
