"""A worker process that takes jobs and keeps them in hand until it is killed.

python -m tests.backends.holder PORT NUMBER NONCE JOBS
"""

from __future__ import annotations

import signal
import sys

from dlq.backends.reliable_redis import ReliableRedisBackend
from dlq.config.settings import Settings
from tests.backends.storages import Q, consumer_of, make_runner


def main(port: str, number: str, nonce: str, jobs: str) -> None:
    backend = ReliableRedisBackend(Settings(redis_port=int(port), workers={Q: 3}))
    consumer = consumer_of(backend, int(number), make_runner(nonce=nonce))
    for _ in range(int(jobs)):
        assert consumer.take(10) is not None
    print("holds", flush=True)
    signal.pause()


if __name__ == "__main__":
    main(*sys.argv[1:])
