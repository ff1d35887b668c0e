"""The text of one cron field, checked part by part.

cronsim does the arithmetic, but says no more than "Bad minute" about a mistake; here is found which
part is wrong. Pure: text in, text out.
"""

from __future__ import annotations

import re
from typing import NamedTuple

NUMBER = re.compile(r"[0-9]+")
LONGEST_NUMBER = 6
"""Digits without leading zeros. No field needs them, and int() refuses some thousands."""

SUNDAY_LAST = re.compile(r"^(?!(?:SUN|0)-)(\w+)-(?:SUN|0)\b", re.IGNORECASE)
"""Sunday at the end of a range is 7: cronsim counts it as 0, and refuses SAT-SUN."""

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


class Field(NamedTuple):
    """`noun` completes "'60' is not …"; `names` may stand for numbers, the first one for
    `first_name`."""

    key: str
    noun: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    first_name: int = 0
    hint: str | None = None


MINUTES = Field("minutes", "a minute (0 to 59)", 0, 59)
HOURS = Field("hours", "an hour (0 to 23)", 0, 23)
DAYS = Field(
    "days",
    "a weekday (1 to 7, Monday to Sunday)",
    1,
    7,
    WEEKDAYS,
    hint="'days' are weekdays; for days of the month use 'schedule', as in '0 3 31 * *'",
)
MONTH_DAYS = Field("day of the month", "a day of the month (1 to 31)", 1, 31)
MONTH = Field("month", "a month (1 to 12)", 1, 12, MONTHS, 1)
WEEKDAY = Field("weekday", "a weekday (0 to 7, Sunday is 0 and 7)", 0, 7, WEEKDAYS)

ALIASES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
"""Names of crontab for whole schedules. `@reboot` is none: it names no time."""

SCHEDULE = (MINUTES, HOURS, MONTH_DAYS, MONTH, WEEKDAY)
"""The five fields of cron text, in their order."""


class FieldViolation(ValueError):
    """`part` is the piece of the text that is wrong."""

    def __init__(self, part: str, message: str, help: str | None = None) -> None:
        super().__init__(message)
        self.part = part
        self.help = help


def checked(field: Field, text: str) -> str:
    """The text without blanks, as cronsim reads it. Raises FieldViolation."""
    terms = [term.strip() for term in text.split(",")]
    for term in terms:
        if not term:
            raise FieldViolation(
                text,
                "it is empty" if len(terms) == 1 else "a value is missing beside a comma",
                "use '*' for each of them" if len(terms) == 1 else None,
            )
        _check_term(field, term)
    if field in (DAYS, WEEKDAY):
        terms = [SUNDAY_LAST.sub(r"\1-7", term) for term in terms]
    return ",".join(terms).upper()


def checked_schedule(text: str) -> str:
    """Five fields with one blank between them. Raises FieldViolation."""
    words = ALIASES.get(text.strip().lower(), text).split()
    if len(words) != len(SCHEDULE):
        raise FieldViolation(text, *_wrong_count(text, words))
    checked_words = []
    for field, word in zip(SCHEDULE, words, strict=True):
        try:
            checked_words.append(checked(field, word))
        except FieldViolation as violation:
            name = field.key.removesuffix("s")
            raise FieldViolation(
                violation.part, f"in the {name} field, {violation}", violation.help
            ) from None
    return " ".join(checked_words)


def _wrong_count(text: str, words: list[str]) -> tuple[str, str]:
    fields = "'minute hour day-of-month month weekday'"
    if text.strip().startswith("@"):
        return f"there is no name {words[0]!r}", f"the names are {', '.join(ALIASES)}"
    if len(words) == 6:
        return "it has 6 fields, and cron text has 5", f"there are no seconds: {fields}"
    count = "1 field" if len(words) == 1 else f"{len(words)} fields"
    return f"it has {count}, and cron text has 5", f"write {fields}"


def _check_term(field: Field, term: str) -> None:
    base, slash, step = term.partition("/")
    if slash:
        if not NUMBER.fullmatch(step):
            raise FieldViolation(term, f"{term!r} has no whole number after '/'")
        if not step.strip("0"):
            raise FieldViolation(term, f"{term!r} has a step of 0", "the smallest step is 1")
        _limit(step, term)
    if base == "*" or (field in (DAYS, WEEKDAY) and not slash and _is_nth(field, base)):
        return
    if field is MONTH_DAYS and base.upper() in ("L", "LW"):
        return
    first, dash, last = base.partition("-")
    if not dash:
        _value(field, base, term)
        return
    low, high = _value(field, first, term), _value(field, last, term)
    if high == 0 < low and field in (DAYS, WEEKDAY):
        high = 7  # a range that ends on Sunday
    if low > high:
        raise FieldViolation(
            term,
            f"{base!r} runs backwards",
            f"write two ranges: '{first}-{field.high},{field.low}-{last}'",
        )


def _is_nth(field: Field, text: str) -> bool:
    """`5L`, the last Friday of a month, and `1#2`, its second Monday."""
    weekday, hash_sign, nth = text.partition("#")
    if hash_sign:
        if nth not in ("1", "2", "3", "4", "5"):
            raise FieldViolation(text, f"{text!r} has no number from 1 to 5 after '#'")
        _value(field, weekday, text)
        return True
    if NUMBER.fullmatch(text[:-1]) and text[-1] in "lL":
        _value(field, text[:-1], text)
        return True
    return False


def _value(field: Field, text: str, term: str) -> int:
    if text.upper() in field.names:
        return field.names.index(text.upper()) + field.first_name
    if not NUMBER.fullmatch(text):
        quoted = repr(text) if text else f"{term!r}"
        raise FieldViolation(term, f"{quoted} is not {field.noun}", field.hint)
    number = _limit(text, term)
    if not field.low <= number <= field.high:
        raise FieldViolation(text, f"{text!r} is not {field.noun}", field.hint)
    return number


def _limit(text: str, term: str) -> int:
    if len(text.lstrip("0")) > LONGEST_NUMBER:
        raise FieldViolation(term, f"{term[:20]!r} is not a number that fits a schedule")
    return int(text)
