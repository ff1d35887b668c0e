"""How a verb is called, whoever has read the command's words."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from dlq.cli.output.screen import Screen

T = TypeVar("T")


class ReaderHasGone(Exception):
    """`dlq plan | head`: nobody listens any more. (Typer has an answer of its own to
    BrokenPipeError, and exits with 1, which here means findings.)"""


class Call(NamedTuple):
    """What a verb was called with, besides its own options."""

    settings: str | None = None
    config: tuple[str, ...] = ()
    format: str | None = None
    no_color: bool = False
    verbose: bool = False

    @property
    def screen(self) -> Screen:
        from dlq.cli.output.screen import Screen

        return Screen(color=False if self.no_color else None)

    def with_words(
        self,
        settings: str | None,
        config: Sequence[str] | None,
        format: str | None,
        no_color: bool,
        verbose: bool,
    ) -> Call:
        """What stands nearer to the verb's end wins; override files add up in their order."""
        return self._replace(
            settings=settings or self.settings,
            config=(*self.config, *(config or ())),
            format=format or self.format,
            no_color=no_color or self.no_color,
            verbose=verbose or self.verbose,
        )


class PlanWords(NamedTuple):
    """The own options of `dlq plan`."""

    machine: int | None = None
    of: int | None = None
    exact_configuration: bool = False
    only_queue: str | None = None


class RunWords(NamedTuple):
    """The own options of `dlq run`."""

    machine: int | None = None
    of: int | None = None
    exact_configuration: bool = False
    only_queue: str | None = None
    expect_pool: str | None = None
    pidfile: str | None = None
    touchfile: str | None = None
    health_file: str | None = None
    embedded: bool = False


def flushed(verb: Callable[[], T]) -> T:
    """What `verb` returns, once all that it printed is out. Raises ReaderHasGone."""
    try:
        outcome = verb()
        sys.stdout.flush()
    except BrokenPipeError:
        raise ReaderHasGone from None
    return outcome
