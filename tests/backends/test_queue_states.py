"""Many queues at a time show what each shows alone."""

from __future__ import annotations

from dlq.backends.redis_storage.keys import LAST_NUMBER, Keys
from dlq.backends.reliable_redis import ReliableRedisBackend
from dlq.job import encode
from dlq.types import QueueName
from tests.backends.storages import consuming, job, settings_for, take
from tests.kit.valkey import Server

EMPTY, BUSY, FULL = QueueName("empty"), QueueName("emails"), QueueName("full")


def test_many_queues_show_what_each_shows(server: Server) -> None:
    backend = ReliableRedisBackend(settings=settings_for(server))
    keys = Keys("")
    for number in range(5):
        backend.enqueue(job(number), BUSY)
        backend.enqueue(job(number), FULL)
    with consuming(backend) as consumer, server.client() as client:
        take(consumer)
        # A worker of a configuration that had more of them, and an overflow number.
        client.lpush(keys.processing(FULL, 7), encode(job(7)), encode(job(8)))
        client.hset(keys.owners(FULL), str(LAST_NUMBER + 3), "{}")
        client.lpush(keys.processing(FULL, LAST_NUMBER + 3), encode(job(9)))
        planned = {EMPTY: 2, BUSY: 1, FULL: 1}
        together = {state.queue: state for state in backend.queue_states(planned)}
        for name in planned:
            assert together[name] == backend.queue_state(name)
    assert together[FULL].in_hand == 2
    assert together[BUSY].owners


def test_many_queues_cost_few_round_trips(server: Server) -> None:
    backend = ReliableRedisBackend(settings=settings_for(server))
    names = {QueueName(f"queue{number}"): 2 for number in range(200)}
    backend.queue_states(names)
    with server.client() as client:
        before = client.info("commandstats")["cmdstat_evalsha"]["calls"]
        backend.queue_states(names)
        after = client.info("commandstats")["cmdstat_evalsha"]["calls"]
    assert after - before == 4
