"""Backends of a project that was written for django-lightweight-queue 4.11.

Subclasses that take jobs in a way of their own, set a client of their own, or override private
methods; and functions that make a backend.
"""

from __future__ import annotations

import os

import redis

from dlq.backends.base import BaseBackend
from dlq.backends.redis import RedisBackend
from dlq.backends.reliable_redis import ReliableRedisBackend
from dlq.job import Job
from dlq.types import QueueName, WorkerNumber


class OwnDequeue(RedisBackend):
    taken: list[str]

    def __init__(self) -> None:
        super().__init__()
        self.taken = []

    def dequeue(self, queue: QueueName, worker_num: WorkerNumber, timeout: int) -> Job | None:
        job = super().dequeue(queue, worker_num, timeout)
        if job is not None:
            self.taken.append(job.path)
        return job


class OwnProcessedJob(ReliableRedisBackend):
    processed: list[str]

    def __init__(self) -> None:
        super().__init__()
        self.processed = []

    def processed_job(self, queue: QueueName, worker_num: WorkerNumber, job: Job) -> None:
        self.processed.append(job.path)
        super().processed_job(queue, worker_num, job)


class OwnClient(ReliableRedisBackend):
    """Its server is another than the settings name."""

    def __init__(self) -> None:
        super().__init__()
        self.client = redis.Redis("127.0.0.1", int(os.environ["OWN_CLIENT_PORT"]))


class OwnKey(RedisBackend):
    def _key(self, queue: QueueName) -> str:
        return f"mine:{queue}"


def make_backend() -> BaseBackend:
    return OwnDequeue()


def make_something() -> object:
    return object()
