from __future__ import annotations

import asyncio

import django
from django.apps import apps
from taskiq_redis import RedisStreamBroker

from tests.benchmarks.project import jobs
from tests.benchmarks.project.settings import URL

if not apps.ready:
    # The worker's command imports this module and knows nothing of Django.
    django.setup()

# From "0": jobs that were sent before the first worker ever started are to be run too.
broker = RedisStreamBroker(URL, consumer_id="0")


async def nothing() -> None:
    jobs.nothing()


async def mark() -> None:
    jobs.mark()


async def started(sent: float) -> None:
    jobs.started(sent)


TASKS = {
    "nothing": broker.task(nothing),
    "mark": broker.task(mark),
    "started": broker.task(started),
}

_loop = asyncio.new_event_loop()


def put(name: str, *args: float) -> None:
    _loop.run_until_complete(TASKS[name].kiq(*args))
