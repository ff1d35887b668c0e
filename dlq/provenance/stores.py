"""The instructions of a code object that write observed names, found in its bytecode.

A value that is written twice with the same object shows no difference, so those instructions are
observed one by one; all others are covered by comparing before and after each line.
"""

from __future__ import annotations

import sys
from collections.abc import Set as AbstractSet
from opcode import EXTENDED_ARG, opname
from types import CodeType
from typing import NamedTuple

SHIFTED = {"LOAD_GLOBAL", "LOAD_ATTR"} if sys.version_info >= (3, 12) else {"LOAD_GLOBAL"}
"""Instructions whose argument has a flag in its lowest bit."""

LOADS = {"LOAD_NAME", "LOAD_GLOBAL", "LOAD_ATTR", "LOAD_METHOD"}
STORES = {"STORE_NAME", "STORE_GLOBAL"}
CALLS = {"CALL", "CALL_KW", "CALL_FUNCTION_EX"}
ENDS = STORES | {"STORE_SUBSCR", "STORE_ATTR", "STORE_FAST", "DELETE_SUBSCR", "DELETE_NAME"}
"""Instructions that end a statement."""

STAR = {("IMPORT_STAR", 0), ("CALL_INTRINSIC_1", 2)}
INPLACE = 13
"""The arguments of BINARY_OP from here up are those of `+=` and its kind."""


class Stores(NamedTuple):
    """By offset: names that are assigned; changes of containers in place; star imports. `related`:
    other names in the same statements, whose containers may be copied; `origins`: names that an
    import renames to observed ones; `assigned`: what this code assigns itself, and doesn't import.
    """

    names: dict[int, str]
    changes: set[int]
    stars: set[int]
    related: set[str]
    origins: set[str]
    assigned: set[str]

    def includes(self, offset: int) -> bool:
        return offset in self.names or offset in self.changes or offset in self.stars


def find_stores(code: CodeType, observed: AbstractSet[str]) -> Stores | None:
    """None where the code neither mentions an observed name nor has a star import."""
    if observed.isdisjoint(code.co_names) and ("*",) not in code.co_consts:
        return None
    found = Stores({}, set(), set(), set(), set(), set())
    loaded: set[str] = set()
    raw, high, imported, before = code.co_code, 0, "", ""
    for offset in range(0, len(raw), 2):
        operation, argument = opname[raw[offset]], raw[offset + 1] | high
        high = argument << 8 if raw[offset] == EXTENDED_ARG else 0
        if operation in LOADS:
            loaded.add(code.co_names[argument >> 1 if operation in SHIFTED else argument])
        elif operation == "IMPORT_FROM":
            imported = code.co_names[argument]
        elif (operation, argument) in STAR or operation == "IMPORT_STAR":
            found.stars.add(offset)
        elif operation in STORES:
            name = code.co_names[argument]
            if name in observed:
                found.names[offset] = name
                found.related.update(loaded)
                found.origins.update({imported} if imported else ())
            found.assigned.update(() if imported else {name})
            imported = ""
        elif not observed.isdisjoint(loaded) and (
            operation in CALLS
            or operation == "STORE_SUBSCR"
            or (operation == "BINARY_OP" and argument >= INPLACE)
        ):
            found.changes.add(offset)
            found.related.update(loaded)
        if operation in ENDS or (operation == "POP_TOP" and before in CALLS):
            loaded.clear()
        before = operation if operation != "CACHE" else before
    return found
