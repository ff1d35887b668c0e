"""What a verb is called with, besides its own options."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

if TYPE_CHECKING:
    from dlq.cli.output.screen import Screen


class Invocation(NamedTuple):
    """The shared options. `out` is where results go: not `sys.stdout` while a machine format is
    printed, since what the project's own code prints must not get into it."""

    settings: str | None = None
    config: tuple[str, ...] = ()
    format: str = ""
    no_color: bool = False
    verbose: bool = False
    out: TextIO | None = None

    @property
    def screen(self) -> Screen:
        from dlq.cli.output.screen import Screen

        return Screen(self.out, color=False if self.no_color else None)

    def print_document(self, **content: Any) -> None:
        """Print a JSON document, in the envelope that all verbs share."""
        from dlq.diagnostics.formats import document, json_text

        self.screen.print(json_text(document(**content)))

    def with_options(
        self,
        *,
        settings: str | None,
        config: Sequence[str] | None,
        format: str | None,
        no_color: bool,
        verbose: bool,
    ) -> Invocation:
        """Add the options that stand further to the right: they win, and override files add up."""
        return self._replace(
            settings=settings or self.settings,
            config=(*self.config, *(config or ())),
            format=format or self.format,
            no_color=no_color or self.no_color,
            verbose=verbose or self.verbose,
        )

    @contextmanager
    def results_apart(self) -> Iterator[Invocation]:
        """Send what anything but dlq prints to stderr; `out` of the result is the real stdout."""
        import os

        sys.stdout.flush()
        with os.fdopen(os.dup(1), "w", encoding="utf-8", errors="backslashreplace") as out:
            os.dup2(2, 1)
            try:
                yield self._replace(out=out)
            finally:
                sys.stdout.flush()
                out.flush()
                os.dup2(out.fileno(), 1)
