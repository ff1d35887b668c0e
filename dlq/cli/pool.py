"""The part of a pool that a command's words mean."""

from __future__ import annotations

from dlq.cli.call import Call, PlanWords, RunWords
from dlq.operations.pool import make_pool
from dlq.planner import Pool


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
