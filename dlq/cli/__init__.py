"""The command line, `dlq`: a thin skin over `dlq.operations`.

`main` is its door. A liveness probe comes in every few seconds on every machine, so `dlq health` is
answered here before Typer, rich or Django are imported.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["health"] and "--help" not in words:
        from dlq.cli.commands.health import answer

        sys.exit(answer(words[1:]))
    from dlq.process.posix.startup import exit_on_stop_signals, put_off_collections

    if not {"run", "worker"}.isdisjoint(words):
        exit_on_stop_signals()
    if not {"run", "worker", "plan", "check"}.isdisjoint(words):
        put_off_collections()
    from dlq.cli.dispatch import run

    sys.exit(run(words))
