"""Exceptions of users' code as text. Nothing that an exception's class defines can make it raise.

An exception may come from a library that computes its text, or from one that is hostile: `__str__`
may raise or exit, a metaclass may redefine `__name__`. Whatever happens here happens after a job's
end, so a raise would change the outcome of a job that has one.
"""

from __future__ import annotations

import traceback
from types import TracebackType

from dlq.primitives.text import printable, printable_lines

TRACEBACK_LIMIT = 16_384
"""Characters. It is stored with the failed job, and a thousand of them are kept per queue."""


def describe(error: BaseException) -> str:
    """One line for people: `ValueError: no such order`. Never raises."""
    name: str = type.__dict__["__name__"].__get__(type(error))
    try:
        text = str.__str__(str(error))
    except BaseException:
        text = "(its text cannot be shown: str() raised)"
    return printable(f"{name}: {text}" if text else name, 500)


def traceback_text(error: BaseException, skip: str = "") -> str:
    """The traceback, cut to TRACEBACK_LIMIT, without the outermost frames of the file `skip`. Never
    raises."""
    try:
        trace = _without_outermost(error.__traceback__, skip)
        lines = traceback.format_exception(type(error), error, trace)
        return printable_lines("".join(lines).rstrip("\n"), TRACEBACK_LIMIT)
    except BaseException:
        return describe(error)


def _without_outermost(trace: TracebackType | None, file: str) -> TracebackType | None:
    """The part from the first frame of another file on; the whole where there is none."""
    first = trace
    while trace is not None and trace.tb_frame.f_code.co_filename == file:
        trace = trace.tb_next
    return trace or first
