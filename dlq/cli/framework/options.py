"""The options that several verbs have: which machine of which pool."""

from __future__ import annotations

from typing import Annotated

import typer


def whole_number(text: str) -> int:
    """For an option's value. Raises BadParameter."""
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a whole number") from None


MachineOption = Annotated[
    int | None,
    typer.Option(
        "--machine", metavar="M", parser=whole_number, help="Which machine of the pool, from 1."
    ),
]
OfOption = Annotated[
    int | None,
    typer.Option("--of", metavar="N", parser=whole_number, help="How many machines the pool has."),
]
ExactOption = Annotated[
    bool,
    typer.Option(
        "--exact-configuration",
        help="No pool: exactly the workers that --config FILE names, and no cron.",
    ),
]
OnlyQueueOption = Annotated[
    str | None, typer.Option("--only-queue", metavar="QUEUE", help="Only this queue's workers.")
]
