"""Who this runner is, for the other runners of its servers."""

from __future__ import annotations

import os
import secrets
import time

from dlq import __version__
from dlq.backends.redis_storage.fleet.host_identity import here
from dlq.planning.split import Split
from dlq.types import Runner


def make_runner(split: Split, settings_module: str) -> Runner:
    pool = split.pool
    host, boot = here()
    return Runner(
        nonce=secrets.token_hex(8),
        host=host,
        boot=boot,
        pid=os.getpid(),
        started=time.time(),
        pool_id=split.pool_id,
        machine=None if pool.exact else pool.machine,
        of=None if pool.exact else pool.of,
        exact=pool.exact,
        runs_cron=split.runs_cron,
        settings_module=settings_module,
        version=__version__,
    )
