"""A record of what each statement did to the observed names, and to the items of their containers.

The namespaces are compared after each line; a difference is the work of the statement that ran.
Knows nothing of how lines are observed, and nothing of source text.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from inspect import CO_OPTIMIZED
from itertools import chain, islice, repeat
from operator import is_
from threading import get_ident
from types import CodeType, FrameType
from typing import Any, NamedTuple

from dlq.provenance.stores import Stores, find_stores, loud_lines

MISSING = object()
CONTAINERS = (dict, list, tuple)
LARGE = 200
"""Containers with more items are compared by length and last item only: a loop that fills one would
else compare all items after each step. A record that is out of date shows in its value."""


class Site(NamedTuple):
    """A statement that ran. `offset` is that of the instruction, where it is known; `namespace` has
    the globals of the code."""

    code: CodeType
    line: int
    offset: int | None
    namespace: dict[str, Any]


class Write(NamedTuple):
    """A name or an item was given this value; `site` is None where nobody knows by which
    statement."""

    value: Any
    site: Site | None
    time: int


@dataclass(slots=True, eq=False)
class Contents:
    """A dict, list or tuple, with what was under each key (or index) since when. `since`: the time
    when it was first seen, with the items that it was made with."""

    value: Any
    since: int
    writes: dict[Any, list[tuple[int, Write | None]]] = field(default_factory=dict)

    def compare(self, site: Site | None, time: int) -> None:
        """Note what is different since the last time, as written by `site`. The elements of a list
        keep their records when they move."""
        is_dict, size = isinstance(self.value, dict), len(self.value)
        last = {key: writes[-1][1] for key, writes in self.writes.items()}
        pairs: Iterable[tuple[Any, Any]]
        pairs = dict.items(self.value) if is_dict else enumerate(self.value)
        if LARGE < len(last) < size:
            new = islice(reversed(self.value), size - len(last))
            pairs = [(key, self.value[key]) for key in (new if is_dict else range(len(last), size))]
            last = {}
        old = {} if is_dict else {id(write.value): write for write in last.values() if write}
        counts = Counter() if is_dict else Counter(map(id, self.value))
        for key, value in pairs:
            write = last.pop(key, None)
            if write is None or write.value is not value:
                moved = old.get(id(value)) if counts[id(value)] == 1 else None
                self.writes.setdefault(key, []).append((time, moved or Write(value, site, time)))
        for key, write in last.items():
            if write is not None:
                self.writes[key].append((time, None))

    def at(self, key: object, time: int) -> Write | None:
        """Return what was in force under `key` at that time."""
        return next((w for at, w in reversed(self.writes.get(key, ())) if at <= time), None)

    def all_writes(self) -> Iterator[Write]:
        return (write for writes in self.writes.values() for _, write in writes if write)


@dataclass(slots=True, eq=False)
class Namespace:
    """The variables of a module, or of a class body: what each observed name was given, the last
    last, and with which contents. `stars` are star imports: they may write the same object again.
    """

    variables: dict[str, Any]
    writes: dict[str, list[tuple[Write, Contents | None]]] = field(default_factory=dict)
    stars: list[tuple[int, Site]] = field(default_factory=list)

    def at(self, name: str, time: int) -> tuple[Write, Contents | None] | None:
        """Return what was in force under `name` at that time."""
        return next((w for w in reversed(self.writes.get(name, ())) if w[0].time <= time), None)


class Recorder:
    """Compares, and remembers. All names that begin like `family` are observed. `touches` are
    statements that may have written an item again with the same object, `returned` the containers
    that functions made. `ran`: by code and line, what ran and may have run other code, with when it
    ran first and last."""

    def __init__(self, family: str) -> None:
        self.namespaces: dict[int, Namespace] = {}
        self.classes: list[Namespace] = []
        self.touches: list[tuple[int, Site]] = []
        self.returned: list[tuple[int, CodeType, Contents]] = []
        self.ran: dict[tuple[int, int], tuple[int, int, Site]] = {}
        self.events = 0
        self.names, self._family, self._wanted = set[str](), family, set[str]()
        self._related: set[str] = set()
        self._is_own: Callable[[str], bool] = str.isascii
        self._root: FrameType | None = None
        self._stores: dict[int, tuple[CodeType, Stores | None]] = {}
        self._time = self._noted = 0
        self._is_loud = True
        self._loud: dict[int, set[int | None]] = {}
        self._active: Site | None = None
        self._pending: Callable[[int], object] | None = None
        self._contents: dict[int, Contents] = {}
        self._sizes: list[int] = []
        self._last: list[object] = []
        self._known: tuple[list[int], list[object]] = [], []
        self._refresh()

    def resume(
        self, names: set[str], is_project_file: Callable[[str], bool], root: FrameType
    ) -> None:
        """Begin, or go on after a time in which nothing was observed. `names` are observed as well;
        `is_project_file` says whether a file is; `root` is the frame that asks, below which none
        is."""
        self.names |= names
        self._is_own, self._root = is_project_file, root
        self.compare()

    # What the observer reports.

    def stores_of(self, code: CodeType) -> Stores | None:
        """Return the instructions of `code` that `before_instruction` is to be called for."""
        if id(code) not in self._stores:  # a code object's hash is computed from all of it
            self.names.update(name for name in code.co_names if name.startswith(self._family))
            found = find_stores(code, self.names, self._related)
            self._stores[id(code)], self._loud[id(code)] = (code, found), loud_lines(code)
            if found is not None:
                self.names |= found.origins
                self._related |= found.related - self.names
                self._scan_again()
        return self._stores[id(code)][1]

    def start(self, frame: FrameType) -> None:
        """A frame of observed code begins, or goes on."""
        self.compare()
        self.stores_of(frame.f_code)
        for variables in (frame.f_globals, *_local_variables(frame)):
            if id(variables) not in self.namespaces:
                self.namespaces[id(variables)] = Namespace(variables)
                self._scan_again()
        self._active = Site(frame.f_code, frame.f_lineno, None, frame.f_globals)

    def before_line(self, frame: FrameType, line: int) -> None:
        self.events += 1
        if self._is_loud or self._pending is not None:
            self.compare()
        site = self._active = Site(frame.f_code, line, None, frame.f_globals)
        self._is_loud = line in self._loud[id(frame.f_code)]
        if self._is_loud:
            key = id(frame.f_code), line
            first = self.ran[key][0] if key in self.ran else self._time
            self.ran[key] = first, self._time, site

    def before_instruction(self, frame: FrameType, offset: int, stores: Stores) -> None:
        """The instruction is one of `stores`."""
        self.compare()
        site = self._active = Site(frame.f_code, frame.f_lineno, offset, frame.f_globals)
        own = self.namespaces.get(id(next(_local_variables(frame), None)))
        namespace = own or self.namespaces[id(frame.f_globals)]
        if offset in stores.names:
            name = stores.names[offset]
            self._pending = lambda time: self._write(namespace, name, site, time)
        else:
            found = namespace.stars if offset in stores.stars else self.touches
            self._pending = lambda time: found.append((time, site))

    def end(self, frame: FrameType, value: object) -> None:
        """A frame of observed code returns, raises or yields."""
        self.compare()
        self._is_loud = True
        own = next(_local_variables(frame), None)
        if own is None and isinstance(value, dict | list) and id(value) not in self._contents:
            contents = self._contents_of(value, self._active, self._time)
            self.returned.append((self._time, frame.f_code, contents))
        elif own is not None and own is not frame.f_globals and id(own) in self.namespaces:
            self.classes.append(self.namespaces.pop(id(own)))
            self._refresh()
        caller = self._innermost(frame.f_back)
        self._active = caller and Site(
            caller.f_code, caller.f_lineno, caller.f_lasti, caller.f_globals
        )

    def finish(self, *, is_complete: bool) -> None:
        """`is_complete`: all lines until now were observed."""
        if not is_complete:
            self._active = self._pending = None
        self.compare()
        self._active = self._root = None
        self._stores.clear()

    # Comparing.

    def compare(self) -> None:
        """Attribute what is different now to the statement that ran."""
        time = self._time + 1
        before = self._noted
        values = map(dict.get, self._owners, self._keys, repeat(MISSING))
        is_same = all(map(is_, values, self._bound))
        sizes, last = _sizes(self._variables), [*_last(self._variables)]
        has_names = sizes == self._sizes and last == self._last
        if self._has_changed():
            for contents in self._live:
                contents.compare(self._writer(), time)
            self._noted += 1
        if not is_same:
            for owner, name, value in zip(self._owners, self._keys, self._bound, strict=True):
                if dict.get(owner, name, MISSING) is not value:
                    self._write(self.namespaces[id(owner)], name, self._writer(), time)
        if not has_names:
            for index, variables in enumerate(self._variables):
                if sizes[index] != self._sizes[index] or last[index] is not self._last[index]:
                    self._scan(self.namespaces[id(variables)], self._writer, time)
            self._sizes, self._last = sizes, last
        if self._noted > before:
            self._refresh()
        if self._pending is not None:
            pending, self._pending = self._pending, None
            pending(time)
            self._noted += 1
        if self._noted > before:
            self._time = time

    def _scan_again(self) -> None:
        """Look for names that were written before they were known to be of interest."""
        self._wanted = self.names | self._related
        for namespace in self.namespaces.values():
            self._scan(namespace, lambda: None, self._time)
        self._refresh()

    def _scan(self, namespace: Namespace, writer: Callable[[], Site | None], time: int) -> None:
        for name in namespace.variables.keys() & self._wanted:
            value, writes = dict.get(namespace.variables, name), namespace.writes.get(name)
            is_new = not writes or writes[-1][0].value is not value
            if is_new and (name in self.names or isinstance(value, CONTAINERS)):
                self._write(namespace, name, writer(), time)

    def _write(self, namespace: Namespace, name: str, site: Site | None, time: int) -> None:
        """Note the value of a name, if that is not done yet."""
        value = dict.get(namespace.variables, name, MISSING)
        writes = namespace.writes.setdefault(name, [])
        if not writes or writes[-1][0].time < time or site is None:
            is_container = isinstance(value, CONTAINERS)
            contents = self._contents_of(value, site, time) if is_container else None
            writes.append((Write(value, site, time), contents))
            self._noted += 1

    def _contents_of(self, value: Any, site: Site | None, time: int) -> Contents:
        """Return the record of a container. A tuple has one for each name that it is given to:
        equal tuples may be one object."""
        contents = self._contents.get(id(value))
        if contents is None or isinstance(value, tuple):
            contents = self._contents[id(value)] = Contents(value, time)
            contents.compare(site, time)
        return contents

    def _refresh(self) -> None:
        """Remember what the next comparison compares with."""
        bound = [
            (namespace.variables, name, writes[-1])
            for namespace in self.namespaces.values()
            for name, writes in namespace.writes.items()
        ]
        self._owners, self._keys = [each[0] for each in bound], [each[1] for each in bound]
        self._bound = [write.value for _, _, (write, _) in bound]
        live = {id(write.value): contents for _, _, (write, contents) in bound if contents}
        self._live = [each for each in live.values() if not isinstance(each.value, tuple)]
        self._variables = [namespace.variables for namespace in self.namespaces.values()]
        self._all = [contents.value for contents in self._live]
        self._sizes, self._last = _sizes(self._variables), [*_last(self._variables)]
        self._small = [value for value in self._all if len(value) <= LARGE]
        self._dicts = [value for value in self._small if isinstance(value, dict)]
        self._known = self._snapshot()

    def _snapshot(self) -> tuple[list[int], list[object]]:
        """Return the lengths of all containers; and their last items, and the keys and values of
        small ones, which are compared by identity."""
        values = map(dict.values, self._dicts)
        return _sizes(self._all), [*_last(self._all), *chain(*self._small), *chain(*values)]

    def _has_changed(self) -> bool:
        (sizes, items), (known_sizes, known_items) = self._snapshot(), self._known
        return sizes != known_sizes or not all(map(is_, items, known_items))

    # Frames.

    def _writer(self) -> Site | None:
        """Return the statement that ran; None where another thread may have written as well."""
        others = [frame for id, frame in sys._current_frames().items() if id != get_ident()]
        return None if any(map(self._innermost, others)) else self._active

    def _innermost(self, frame: FrameType | None) -> FrameType | None:
        """Return the innermost frame of observed code."""
        while frame is not None and frame is not self._root:
            if self._is_own(frame.f_code.co_filename):
                return frame
            frame = frame.f_back
        return None


def _local_variables(frame: FrameType) -> Iterator[dict[str, Any]]:
    """Yield the variables of a module or a class body; nothing for a function."""
    if not frame.f_code.co_flags & CO_OPTIMIZED and isinstance(frame.f_locals, dict):
        yield frame.f_locals


def _sizes(containers: list[Any]) -> list[int]:
    return [*map(len, containers)]


def _last(containers: list[Any]) -> Iterator[object]:
    return map(next, map(reversed, containers), repeat(None))
