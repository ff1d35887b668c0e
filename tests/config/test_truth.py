"""Random modules whose true writers are known: a line that is said is the true one.

Each statement stands on a line of its own (a conditional one on two) and says which keys it writes
when it runs; what was found in the text is compared with what the run did.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dlq.provenance.provenance import Provenance
from dlq.types import Source

FILE = Source("file", file="x.py")
VALUES = st.integers(1, 2)
KEYS = st.sampled_from("ab")


@dataclass(frozen=True)
class Statement:
    """`text` with the name N. `rebinds`: it makes a new value; `writes`: the keys that it gives a
    value ('' is the name itself), or only if they are missing."""

    text: str
    rebinds: bool = False
    writes: tuple[str, ...] = ()
    removes: tuple[str, ...] = ()
    only_missing: bool = False
    condition: bool | None = None

    @property
    def lines(self) -> list[str]:
        if self.condition is None:
            return [self.text]
        return [f"if 1 == {1 if self.condition else 2}:", f"    {self.text}"]

    @property
    def runs(self) -> bool:
        return self.condition is not False


def conditional(statements: st.SearchStrategy[Statement]) -> st.SearchStrategy[Statement]:
    def with_condition(pair: tuple[Statement, bool | None]) -> Statement:
        statement, condition = pair
        return Statement(
            statement.text,
            statement.rebinds,
            statement.writes,
            statement.removes,
            statement.only_missing,
            condition,
        )

    return st.tuples(statements, st.sampled_from([None, None, True, False])).map(with_condition)


SCALARS = conditional(
    st.one_of(
        VALUES.map(lambda v: Statement(f"N = {v}", rebinds=True)),
        VALUES.map(lambda v: Statement(f"N = int('{v}')", rebinds=True)),
        VALUES.map(lambda v: Statement(f"M, N = 0, {v}", rebinds=True)),
        VALUES.map(lambda v: Statement(f"for N in (1, {v}): pass", rebinds=True)),
        VALUES.map(lambda v: Statement(f"OTHER = {v}")),
    )
)


def table(values: dict[str, int]) -> Statement:
    return Statement(f"N = {values!r}", rebinds=True, writes=tuple(values))


DICTS = conditional(
    st.one_of(
        st.dictionaries(KEYS, VALUES).map(table),
        st.tuples(KEYS, VALUES).map(lambda p: Statement(f"N[{p[0]!r}] = {p[1]}", writes=(p[0],))),
        st.tuples(KEYS, VALUES).map(
            lambda p: Statement(f"N[{p[0]!r}] = int('{p[1]}')", writes=(p[0],))
        ),
        st.dictionaries(KEYS, VALUES).map(lambda d: Statement(f"N.update({d!r})", writes=tuple(d))),
        st.dictionaries(KEYS, VALUES).map(lambda d: Statement(f"N |= {d!r}", writes=tuple(d))),
        st.dictionaries(KEYS, VALUES).map(
            lambda d: Statement(f"N.update(dict({d!r}.items()))", writes=tuple(d))
        ),
        st.tuples(KEYS, VALUES).map(
            lambda p: Statement(
                f"N.setdefault({p[0]!r}, {p[1]})", writes=(p[0],), only_missing=True
            )
        ),
        KEYS.map(lambda k: Statement(f"N.pop({k!r}, None)", removes=(k,))),
    )
)


def run(statements: list[Statement]) -> tuple[str, dict[str, Any], int | None, dict[str, int]]:
    """The text, what came of it, the line that bound the name, and the line of each key."""
    lines: list[str] = []
    bound: int | None = None
    keys: dict[str, int] = {}
    for statement in statements:
        lines += statement.lines
        if not statement.runs:
            continue
        if statement.rebinds:
            bound, keys = len(lines), {}
        for key in statement.writes:
            if not (statement.only_missing and key in keys):
                keys[key] = len(lines)
        for key in statement.removes:
            keys.pop(key, None)
    text = "\n".join(lines) + "\n"
    namespace: dict[str, Any] = {}
    exec(text, namespace)
    return text, namespace, bound, keys


@settings(max_examples=400, deadline=None)
@given(st.lists(SCALARS, min_size=1, max_size=6))
def test_the_line_of_a_name_is_the_one_that_bound_it(statements: list[Statement]) -> None:
    text, namespace, bound, _ = run(statements)
    if "N" not in namespace:
        return
    place = Provenance(FILE).in_text(text, namespace, "N", namespace["N"])
    assert place.source.line in (None, bound)
    if all(s.condition is None and "for" not in s.text for s in statements):
        assert place.source.line == bound


@settings(max_examples=600, deadline=None)
@given(st.dictionaries(KEYS, VALUES), st.lists(DICTS, max_size=6))
def test_the_line_of_a_key_is_the_one_that_wrote_it(
    first: dict[str, int], statements: list[Statement]
) -> None:
    text, namespace, bound, keys = run([table(first), *statements])
    place = Provenance(FILE).in_text(text, namespace, "N", namespace["N"])
    assert place.source.line in (None, bound)
    assert set(keys) == set(namespace["N"])
    for key, source in place.items.items():
        assert source.line == keys[key]
    if all(
        s.condition is None and not any(w in s.text for w in ("int(", "dict(", "setdefault"))
        for s in statements
    ):
        assert place.source.line == bound
        assert set(place.items) == set(keys)
