"""What `dlq run` does with its words."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

from dlq.cli.framework.invocation import Call, RunWords
from dlq.cli.framework.pool_words import pool_of
from dlq.errors import ExitCode, UsageError
from dlq.operations.preflight import start
from dlq.operations.run import RunOptions

if TYPE_CHECKING:
    from dlq.planning.plan import Plan


def run(call: Call, words: RunWords) -> ExitCode:
    pool = pool_of(call, words)
    if words.embedded and words.pidfile is not None:
        raise UsageError("--embedded is for development, in the foreground: leave out --pidfile")
    with ExitStack() as stack:
        if words.embedded:
            from dlq.operations.embedded_server import embedded_server

            server = stack.enter_context(embedded_server())
            say(f"{server.description}\nLIGHTWEIGHT_QUEUE_REDIS_URL={server.url}")
        code = start(
            call.settings,
            call.config,
            pool,
            RunOptions(
                words.pidfile,
                words.touchfile,
                words.expect_pool,
                words.health_file,
                announce=say,
            ),
            show=lambda plan: _show(call, plan),
            verbose=call.verbose,
        )
    return ExitCode(code)


def say(text: str) -> None:
    """At once, also into a pipe: whoever watches a runner wants to see it start."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def warn(call: Call, plan: Plan) -> None:
    if plan.findings:
        from dlq.cli.output.findings import findings_lines

        call.screen.segments(findings_lines(plan.findings), to_err=True)


def _show(call: Call, plan: Plan) -> None:
    from dlq.cli.output.plan_lines import one_line

    warn(call, plan)
    say(one_line(plan))
