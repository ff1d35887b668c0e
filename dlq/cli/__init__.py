"""The command line, `dlq`: a thin layer over `dlq.operations`.

`main` is where it starts. A liveness probe runs every few seconds on every machine, so `dlq health`
is answered here before Typer, rich or Django are imported.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    words = list(sys.argv[1:] if arguments is None else arguments)
    from dlq.cli.framework.streams import prepare_streams

    prepare_streams()
    try:
        code = _run(words)
    except KeyboardInterrupt:
        # A verb that has begun reports its own interruption.
        sys.stderr.write("\ninterrupted: nothing was changed\n")
        code = 130
    if code == 130:
        import signal

        # Another Ctrl-C would end in a traceback of whatever runs at exit.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(code)


def _run(words: list[str]) -> int:
    """Run the words, the verb first; where options precede it, the verb makes these preparations
    itself, or runs without them."""
    verb = words[0] if words else ""
    if verb == "health" and not {"-h", "--help"} & set(words):
        from dlq.cli.commands.health import answer

        return answer(words[1:])
    from dlq.process.posix.startup import handle_early_signals, put_off_collections

    if verb in {"run", "worker"}:
        handle_early_signals()
    if verb in {"run", "worker", "plan", "check"}:
        put_off_collections()
    from dlq.cli.dispatch import run

    return run(words)
