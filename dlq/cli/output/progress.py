"""How far a long step is: one line on a terminal, rewritten in place, and nothing in a pipe."""

from __future__ import annotations

from collections.abc import Callable

from dlq.cli.output.screen import Screen

WIDTH = 30
"""Characters of the bar."""


def progress_bar(screen: Screen, what: str, total: int) -> Callable[[int], None]:
    """Return what shows how many of `total` are done. `what` as in "reading"."""
    if not screen.err.isatty() or total == 0:
        return lambda done: None

    def show(done: int) -> None:
        filled = min(WIDTH, WIDTH * done // total)
        bar = "#" * filled + " " * (WIDTH - filled)
        end = "\n" if done >= total else ""
        screen.err.write(f"\r{what} [{bar}] {done:,} of {total:,}{end}")
        screen.err.flush()

    return show
