"""Foreign text, made safe to show: in a log, on a terminal, in `ps`.

Job text is written by whoever can reach the server. A control character in it could forge a log
line, and a bidirectional override could make a line read as another. Imports nothing of dlq.
"""

from __future__ import annotations

from collections.abc import Iterable

ELLIPSIS = "…"


def printable(text: str, limit: int = 200) -> str:
    """The text on one line, in at most `limit` characters. Whatever doesn't print (C0, C1, DEL,
    bidi and other format characters, lone surrogates, odd blanks) becomes a backslash escape."""
    if len(text) > limit:
        text = text[: limit - 1] + ELLIPSIS
    if text.isprintable():
        return text
    escaped = "".join(c if c.isprintable() else _escape(c) for c in text)
    return escaped if len(escaped) <= limit else escaped[: limit - 1] + ELLIPSIS


def short_repr(value: object, limit: int = 60) -> str:
    """A value as Python writes it, cut; only its type where that raises: an object of the user's
    may, and so does a number of more digits than Python writes."""
    try:
        text = repr(value)
    except Exception:
        return f"<{type(value).__name__}>"
    return text if len(text) <= limit else text[: limit - 1] + ELLIPSIS


def printable_lines(text: str, limit: int = 16_384) -> str:
    """The text as `printable` gives it, but line ends stay, and the middle is cut: both ends of a
    long traceback matter."""
    if len(text) > limit:
        head = limit // 4
        tail = limit - head
        cut = len(text) - limit
        text = f"{text[:head]}\n{ELLIPSIS} {cut} characters cut {ELLIPSIS}\n{text[-tail:]}"
    return "\n".join(printable(line, limit) for line in text.split("\n"))


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """`1 job`, `3 jobs`; `plural` is for nouns that take more than an s."""
    return f"{count} {noun if count == 1 else plural or f'{noun}s'}"


def listed(words: Iterable[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    *first, final = words
    return f"{', '.join(first)} {last} {final}" if first else final


def _escape(character: str) -> str:
    code = ord(character)
    short = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character)
    if short is not None:
        return short
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
