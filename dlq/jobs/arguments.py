"""The arguments of a call: what JSON carries unchanged, and what the function itself accepts.

Both are checked where the call is made, so that the mistake shows there and not in a worker.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from types import FunctionType
from typing import Any, NamedTuple

from dlq.errors import UnusableArgument

MAX_DEPTH = 200
"""Containers inside containers. Python's JSON parser recurses, and workers of 4.11 parse with the
rest of their stack. No caller nests this deep on purpose."""

MAX_BITS = 14_000
"""Size of a whole number. Python refuses to parse one of more than 4300 digits."""


def check_arguments(path: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Raise UnusableArgument for what JSON cannot carry, or would hand to the task as something
    else: NaN and the infinities, keys of mappings that are not strings, and every type that has no
    JSON form. Tuples come back as lists, and enums of str or int as their values: that is
    documented, and accepted."""
    for index, value in enumerate(args):
        _check(path, f"args[{index}]", value, 0)
    for name, value in kwargs.items():
        _check(path, f"kwargs[{name!r}]", value, 0)


def _check(path: str, place: str, value: object, depth: int) -> None:
    if value is None or isinstance(value, str):
        return
    if isinstance(value, int):
        if value.bit_length() > MAX_BITS:
            raise UnusableArgument(
                f"{path}: {place} is a whole number of {value.bit_length()} bits, and a worker"
                f" reads at most {MAX_BITS}: pass hex(value)"
            )
        return
    if isinstance(value, float):
        if not math.isfinite(value):
            raise UnusableArgument(
                f"{path}: {place} is {value!r}, which JSON cannot carry: pass None or a string"
            )
        return
    if depth >= MAX_DEPTH:
        raise UnusableArgument(
            f"{path}: {place[:60]}… is nested deeper than {MAX_DEPTH} levels (or contains itself):"
            " pass a flatter value"
        )
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise UnusableArgument(
                    f"{path}: {place} has the key {key!r} of type {type(key).__name__}, which would"
                    f" arrive as a string: use {str(key)!r}, or a list of pairs"
                )
            _check(path, f"{place}[{key!r}]", item, depth + 1)
        return
    if isinstance(value, list | tuple):
        for index, item in enumerate(value):
            _check(path, f"{place}[{index}]", item, depth + 1)
        return
    raise UnusableArgument(
        f"{path}: {place} is of type {type(value).__module__}.{type(value).__qualname__}, which"
        f" JSON cannot carry: {_remedy(value)}"
    )


def _remedy(value: object) -> str:
    if hasattr(value, "isoformat"):
        return "pass value.isoformat() and parse it in the task"
    if hasattr(value, "_meta") and hasattr(value, "pk"):
        return "pass its primary key and fetch it in the task"
    if isinstance(value, set | frozenset):
        return "pass sorted(value)"
    if isinstance(value, bytes | bytearray):
        return "pass text, for instance value.hex()"
    return "pass a str, a number, a list or a dict"


class Parameters(NamedTuple):
    """What a function can be called with, read once from its code. `accepts` decides in well under
    a microsecond for nearly all calls; `inspect` words the mistake in the rest."""

    positional: tuple[str, ...]
    """In order, those that can only be given by position first."""
    only_positional: int
    required: int
    """How many of `positional` have no default."""
    takes_more: bool
    """`*args`."""
    keywords: frozenset[str]
    """Names that may be given by keyword."""
    required_keywords: frozenset[str]
    takes_any_keyword: bool
    """`**kwargs`."""

    def accepts(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
        count = len(args)
        if count > len(self.positional) and not self.takes_more:
            return False
        if not kwargs:
            return count >= self.required and not self.required_keywords
        if not (self.takes_any_keyword or self.keywords.issuperset(kwargs)):
            return False
        if not self.required_keywords.issubset(kwargs):
            return False
        if not kwargs.keys().isdisjoint(self.positional[self.only_positional : count]):
            return False
        missing = self.positional[count : self.required]
        by_name = self.positional[max(count, self.only_positional) : self.required]
        return len(by_name) == len(missing) and all(name in kwargs for name in by_name)


def parameters_of(fn: Callable[..., Any]) -> Parameters | None:
    """None where they cannot be read: a callable that is no Python function is not checked."""
    if not isinstance(fn, FunctionType):
        return None
    code, defaults, keyword_defaults = fn.__code__, fn.__defaults__ or (), fn.__kwdefaults__ or {}
    positional = code.co_varnames[: code.co_argcount]
    end = code.co_argcount + code.co_kwonlyargcount
    only_keyword = code.co_varnames[code.co_argcount : end]
    return Parameters(
        positional,
        code.co_posonlyargcount,
        code.co_argcount - len(defaults),
        bool(code.co_flags & inspect.CO_VARARGS),
        frozenset(positional[code.co_posonlyargcount :] + only_keyword),
        frozenset(only_keyword) - keyword_defaults.keys(),
        bool(code.co_flags & inspect.CO_VARKEYWORDS),
    )


def check_call(
    path: str, fn: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> None:
    """Raises UnusableArgument, which is a TypeError, in the words of the function itself."""
    try:
        inspect.getcallargs(fn, *args, **kwargs)
        # It does not know parameters that are only positional.
        inspect.signature(fn, follow_wrapped=False).bind(*args, **kwargs)
    except TypeError as error:
        raise UnusableArgument(f"{path}: {error}") from None
