"""Where the keys and values of a TOML or JSON file are written.

The parsers of the standard library give values without locations, so the text is walked once more
for the locations alone. It is known to be valid by then, and what the walk finds is believed only
where it reads as the value that the parser gave."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import NamedTuple

from dlq.provenance.setting_location import SettingLocation
from dlq.types import Source


class Span(NamedTuple):
    """A key and its value, as offsets into the text. `path`: the keys around it and its own."""

    path: tuple[str, ...]
    key: tuple[int, int]
    value: tuple[int, int]


def document_locations(
    source: Source, text: str, content: Mapping[str, object], kind: str
) -> Callable[[str], SettingLocation]:
    """The location of each key of the file. `kind` is `.toml` or `.json`. The text is walked when a
    location is first asked for."""
    locations: dict[str, SettingLocation] | None = None

    def location(key: str) -> SettingLocation:
        nonlocal locations
        if locations is None:
            locations = _all_locations(source, text, content, kind)
        return locations.get(key, SettingLocation(source))

    return location


def _all_locations(
    source: Source, text: str, content: Mapping[str, object], kind: str
) -> dict[str, SettingLocation]:
    try:
        found = list(_json_spans(text, 0) if kind == ".json" else _toml_spans(text))
    except (ValueError, IndexError, RecursionError):
        return {}
    read = json.loads if kind == ".json" else _toml_value

    def at(span: tuple[int, int]) -> Source:
        start, end = span
        line = text.count("\n", 0, start) + 1
        column = start - text.rfind("\n", 0, start)
        same_line = "\n" not in text[start:end]
        return source.at(line, column, column + end - start if same_line else None)

    def believed(spot: Span, value: object) -> bool:
        try:
            return _same(read(text[slice(*spot.value)]), value)
        except ValueError:
            return False

    locations: dict[str, SettingLocation] = {}
    for key, value in content.items():
        own = [spot for spot in found if spot.path[:1] == (key,)]
        if not own:
            continue
        inner = [spot for spot in own if len(spot.path) == 2]
        items: dict[str, Source] = {}
        keys: dict[str, Source] = {}
        for spot in inner:
            name = spot.path[1]
            if isinstance(value, Mapping) and name in value and believed(spot, value[name]):
                items[name], keys[name] = at(spot.value), at(spot.key)
        whole = own[0]
        is_header = whole.value[0] == whole.value[1]
        if len(whole.path) == 1 and not is_header:
            if not believed(whole, value):
                continue
            if isinstance(value, list):
                spans = list(_elements(text, whole.value[0], kind))
                if len(spans) == len(value):
                    items = {str(index): at(span) for index, span in enumerate(spans)}
            locations[key] = SettingLocation(at(whole.value), items, keys, at(whole.key))
        else:
            locations[key] = SettingLocation(at(whole.key), items, keys, at(whole.key))
    return locations


def _elements(text: str, position: int, kind: str) -> Iterator[tuple[int, int]]:
    """Return the spans of the list that begins at `position`."""
    skip = _skip if kind == ".json" else _blank
    position = skip(text, position + 1)
    while text[position] != "]":
        if kind == ".json":
            _, end = json.JSONDecoder().raw_decode(text, position)
        else:
            end = _value_end(text, position)
        yield position, end
        position = skip(text, end)
        if text[position] == ",":
            position = skip(text, position + 1)


def _toml_value(text: str) -> object:
    return tomllib.loads(f"x = {text}")["x"]


# JSON


def _json_spans(text: str, position: int, path: tuple[str, ...] = ()) -> Iterator[Span]:
    """Return the spans of an object that begins at `position`, those of objects in it included."""
    position = _skip(text, _skip(text, position) + 1)
    while text[position] != "}":
        start = position
        key, position = json.JSONDecoder().raw_decode(text, position)
        key_span = (start, position)
        position = _skip(text, _skip(text, position) + 1)
        _, end = json.JSONDecoder().raw_decode(text, position)
        spot = Span((*path, key), key_span, (position, end))
        yield spot
        if text[position] == "{":
            yield from _json_spans(text, position, spot.path)
        position = _skip(text, end)
        if text[position] == ",":
            position = _skip(text, position + 1)


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\r\n":
        position += 1
    return position


# TOML

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_STRINGS = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'', re.DOTALL
)
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")


def _toml_spans(text: str) -> Iterator[Span]:
    table: tuple[str, ...] = ()
    position = _blank(text, 0)
    while position < len(text):
        if text[position] == "[":
            table, position, span = _header(text, position)
            if len(table) == 1:
                yield Span(table, span, (span[0], span[0]))
        else:
            position = yield from _pair(text, position, table)
        position = _blank(text, position)


def _header(text: str, position: int) -> tuple[tuple[str, ...], int, tuple[int, int]]:
    brackets = 2 if text.startswith("[[", position) else 1
    start = _blank(text, position + brackets)
    keys, end = _keys(text, start)
    return tuple(keys), text.index("]", end) + brackets, (start, end)


def _pair(text: str, position: int, table: tuple[str, ...]) -> Generator[Span, None, int]:
    start = position
    keys, end = _keys(text, position)
    position = _blank(text, text.index("=", end) + 1)
    value_end = _value_end(text, position)
    yield Span((*table, *keys), (start, end), (position, value_end))
    if text[position] == "{":
        inner = _blank(text, position + 1)
        while text[inner] != "}":
            inner = yield from _pair(text, inner, (*table, *keys))
            inner = _blank(text, inner)
            if text[inner] == ",":
                inner = _blank(text, inner + 1)
    return value_end


def _keys(text: str, position: int) -> tuple[list[str], int]:
    """A key, or several with dots between them, and where they end."""
    keys = []
    while True:
        quoted = _STRINGS.match(text, position)
        bare = _BARE.match(text, position)
        if quoted is not None:
            keys.append(str(_toml_value(quoted[0])))
            end = quoted.end()
        elif bare is not None:
            keys.append(bare[0])
            end = bare.end()
        else:
            raise ValueError(f"no key at offset {position}")
        dot = _blank(text, end)
        if not text.startswith(".", dot):
            return keys, end
        position = _blank(text, dot + 1)


def _value_end(text: str, position: int) -> int:
    """The offset after the value: strings, and brackets in brackets; else up to what ends it."""
    depth = 0
    last = position
    while position < len(text):
        quoted = _STRINGS.match(text, position)
        character = text[position]
        if quoted is not None:
            position = last = quoted.end()
        elif character in "[{":
            depth += 1
            position = last = position + 1
        elif character in "]}" and depth:
            depth -= 1
            position = last = position + 1
        elif depth and (character.isspace() or character == "#"):
            position = max(_blank(text, position), position + 1)
        elif not depth and character in ",]}\n#":
            break
        else:
            position += 1
            last = last if character.isspace() else position
        if not depth and quoted is not None:
            break
    return last


def _blank(text: str, position: int) -> int:
    """Past blanks, line ends and comments."""
    found = _BLANK.match(text, position)
    return position if found is None else found.end()


def _same(one: object, other: object) -> bool:
    """Whether they are equal, and of the same types all the way down: True is not 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and one == other
