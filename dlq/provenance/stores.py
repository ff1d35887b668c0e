"""The instructions of a code object that write observed names, found in its bytecode.

A value that is written twice with the same object shows no difference, so those instructions are
observed one by one; all others are covered by comparing before and after each line.
"""

from __future__ import annotations

import sys
from collections.abc import Set as AbstractSet
from opcode import EXTENDED_ARG, opmap
from types import CodeType
from typing import NamedTuple

_KINDS = {
    "load": ("LOAD_NAME", "LOAD_GLOBAL", "LOAD_ATTR", "LOAD_METHOD"),
    "store": ("STORE_NAME", "STORE_GLOBAL"),
    "call": ("CALL", "CALL_KW", "CALL_FUNCTION_EX"),
    "item": ("STORE_SUBSCR",),
    "end": ("STORE_ATTR", "STORE_FAST", "DELETE_SUBSCR", "DELETE_NAME"),
    "import": ("IMPORT_FROM",),
    "star": ("IMPORT_STAR", "CALL_INTRINSIC_1"),
    "pop": ("POP_TOP",),
    "binary": ("BINARY_OP",),
}
KINDS = {opmap[name]: kind for kind, names in _KINDS.items() for name in names if name in opmap}

CACHE = opmap["CACHE"]

STAR = 2
"""The argument of CALL_INTRINSIC_1 for a star import; Python 3.11 has an instruction for it."""

INPLACE = 13
"""The arguments of BINARY_OP from here up are those of `+=` and its kind."""

_QUIET: tuple[str, ...] = (
    "RESUME",
    "CACHE",
    "NOP",
    "COPY",
    "SWAP",
    "PUSH_NULL",
    "EXTENDED_ARG",
    "POP_TOP",
    "JUMP",
)
_QUIET += ("LOAD_CONST", "LOAD_NAME", "LOAD_SMALL", "STORE_NAME", "BUILD_", "RETURN_")
QUIET = {number for name, number in opmap.items() if name.startswith(_QUIET)}
"""Instructions that run no other code. What they store under a name of interest is reported."""

FLAGGED = [opmap["LOAD_GLOBAL"]] + [opmap["LOAD_ATTR"]] * (sys.version_info >= (3, 12))
"""Instructions whose argument has a flag in its lowest bit."""


class Stores(NamedTuple):
    """What a code object stores, by offset: names that are assigned; changes of containers in
    place; star imports. `related`: other names in the same statements, whose containers may be
    copied; `origins`: names that an import renames to observed ones; `assigned`: what this code
    assigns itself, and doesn't import; `lines`: those of the first three."""

    names: dict[int, str]
    changes: set[int]
    stars: set[int]
    related: set[str]
    origins: set[str]
    assigned: set[str]
    lines: set[int | None]

    def includes(self, offset: int) -> bool:
        return offset in self.names or offset in self.changes or offset in self.stars


def loud_lines(code: CodeType) -> set[int | None]:
    """Return the lines that do more than to give constants and variables to variables."""
    raw = code.co_code
    return {line for start, end, line in code.co_lines() if not QUIET.issuperset(raw[start:end:2])}


def find_stores(
    code: CodeType, observed: AbstractSet[str], related: AbstractSet[str] = frozenset()
) -> Stores | None:
    """None where the code neither mentions a name of interest nor has a star import."""
    if (observed | related).isdisjoint(code.co_names) and ("*",) not in code.co_consts:
        return None
    found = Stores({}, set(), set(), set(), set(), set(), set())
    loaded: set[str] = set()
    raw, names = code.co_code, code.co_names
    high, imported, before = 0, "", ""
    for index, operation in enumerate(raw[::2]):
        kind = KINDS.get(operation)
        if kind is None:
            high = (raw[2 * index + 1] | high) << 8 if operation == EXTENDED_ARG else 0
            before = before if operation == CACHE else ""
            continue
        offset, argument, high = 2 * index, raw[2 * index + 1] | high, 0
        if kind == "load":
            loaded.add(names[argument >> 1 if operation in FLAGGED else argument])
        elif kind == "import":
            imported = names[argument]
        elif kind == "star" and argument in (0, STAR):
            found.stars.add(offset)
        elif kind == "store":
            name = names[argument]
            found.names[offset] = name
            if name in observed:
                found.related.update(loaded)
                found.origins.update({imported} if imported else ())
            found.assigned.update(() if imported else {name})
            imported = ""
        elif kind == "call" or kind == "item" or (kind == "binary" and argument >= INPLACE):
            mentioned = loaded if not observed.isdisjoint(loaded) else set()
            found.changes.update({offset} if mentioned else ())
            found.related.update(mentioned)
        if kind in ("store", "item", "end") or (kind == "pop" and before == "call"):
            loaded.clear()
        before = kind
    wanted = observed | related | found.related
    stores = {at: name for at, name in found.names.items() if name in wanted}
    offsets = stores.keys() | found.changes | found.stars
    lines = {
        line for start, end, line in code.co_lines() if not offsets.isdisjoint(range(start, end, 2))
    }
    return found._replace(names=stores, lines=lines)
