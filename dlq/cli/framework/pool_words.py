"""The part of a pool that a command's words mean."""

from __future__ import annotations

from dlq.cli.framework.invocation import Call, PlanWords, RunWords
from dlq.planning.pool import make_pool
from dlq.planning.split import Pool


def pool_of(call: Call, words: PlanWords | RunWords, *, whole: bool = False) -> Pool:
    """`whole`: as `make_pool` has it. Raises UsageError."""
    return make_pool(
        words.machine,
        words.of,
        exact=words.exact_configuration,
        only_queue=words.only_queue,
        override_files=call.config,
        whole=whole,
    )
