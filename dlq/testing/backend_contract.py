"""The suite for backends: what a worker relies on. For authors of a backend of their own.

    from dlq.testing import BackendContract

    class TestMyBackend(BackendContract):
        def make_backend(self):
            return MyBackend()

Runs with pytest as it is; with unittest, add TestCase as a second base.
"""

from __future__ import annotations

import logging
import os
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dlq.backends.base import BaseBackend
from dlq.backends.consumer import Consumer, Delivery, PreviousProcess
from dlq.job import Job, encode
from dlq.jobs.failure import Failure
from dlq.types import QueueName, Runner, WorkerNumber

ONE = WorkerNumber(1)
FAILURE = Failure("raised", "ValueError: no", "Traceback …", ran=0.25, worker="contract/1")
logger = logging.getLogger("dlq.testing")


class BackendContract:
    """`make_backend` returns a backend each time; all of one test see the same jobs, and there are
    none at its start."""

    queue = QueueName("contract")
    redelivers = False
    """Whether the job of a worker that died is delivered again."""
    waits = True
    """Whether a worker that finds no job waits for one as long as it may."""

    def make_backend(self) -> BaseBackend:
        raise NotImplementedError

    # Tests

    def test_no_job_is_none_and_waits_about_as_long_as_it_may(self) -> None:
        with self.consuming() as consumer:
            began = time.monotonic()
            assert consumer.take(1) is None
            waited = time.monotonic() - began
        assert waited < 4
        assert waited > 0.9 or not self.waits

    def test_close_may_come_first_and_reset_at_any_time(self) -> None:
        backend = self.make_backend()
        backend.reset()
        with self.consuming(backend):
            pass
        backend.reset()
        assert backend.length(self.queue) == 0

    def test_jobs_come_out_in_the_order_they_went_in(self) -> None:
        backend = self.make_backend()
        backend.enqueue(self.job(0), self.queue)
        backend.bulk_enqueue([self.job(n) for n in range(1, 6)], self.queue)
        backend.bulk_enqueue([], self.queue)
        backend.enqueue(self.job(6), self.queue)
        assert backend.length(self.queue) == 7
        with self.consuming(backend) as consumer:
            assert self.drain(consumer) == list(range(7))
        assert backend.length(self.queue) == 0

    def test_a_job_comes_back_as_it_was(self) -> None:
        backend = self.make_backend()
        sent = Job("shop.tasks.send", [1, "zwölf", None, {"a": [2.5]}], {"to": "☃"}, 30, True)
        backend.enqueue(sent, self.queue)
        with self.consuming(backend) as consumer:
            delivery = self.take(consumer)
            assert delivery.job == sent
            assert delivery.raw == encode(sent)
            assert (delivery.redelivered, delivery.crashes) == (False, 0)
            assert delivery.job.timeout == 30
            assert delivery.job.sigkill_on_stop
            consumer.acknowledge(delivery)

    def test_queues_do_not_mix(self) -> None:
        backend, other = self.make_backend(), QueueName("contract-other")
        backend.enqueue(self.job("here"), self.queue)
        backend.enqueue(self.job("there"), other)
        with self.consuming(backend, queue=other) as consumer:
            assert self.drain(consumer) == ["there"]
        assert backend.length(self.queue) == 1

    def test_a_job_arrives_while_its_worker_waits(self) -> None:
        with self.consuming() as consumer:
            assert consumer.take(0) is None
            other = self.make_backend()
            timer = threading.Timer(0.1, other.enqueue, (self.job("late"), self.queue))
            timer.start()
            delivery = self.take(consumer, 10)
            timer.join()
            assert self.first_argument(delivery) == "late"
            consumer.acknowledge(delivery)

    def test_what_has_failed_is_not_delivered_again(self) -> None:
        backend = self.make_backend()
        backend.bulk_enqueue([self.job("bad"), self.job("good")], self.queue)
        with self.consuming(backend) as consumer:
            consumer.fail(self.take(consumer), FAILURE)
            assert self.drain(consumer) == ["good"]
        with self.consuming(backend) as consumer:
            assert consumer.take(0) is None

    def test_the_job_of_a_dead_worker(self) -> None:
        """Its consumer is not closed, like that of a process that was killed."""
        backend, runner = self.make_backend(), self.runner()
        backend.bulk_enqueue([self.job(0), self.job(1)], self.queue)
        dead = backend.consumer(self.queue, ONE, runner, PreviousProcess(), logger)
        assert dead.redelivers is self.redelivers
        raw = self.take(dead).raw
        known = PreviousProcess("started", "killed by SIGKILL", raw=raw, crashes=1)
        with self.consuming(runner=runner, previous=known) as consumer:
            delivery = self.take(consumer)
            if self.redelivers:
                assert delivery.redelivered
                assert delivery.raw == raw
                assert delivery.crashes == 1
                consumer.acknowledge(delivery)
                delivery = self.take(consumer)
            assert not delivery.redelivered
            assert self.first_argument(delivery) == 1
            consumer.acknowledge(delivery)
        dead.close()

    def test_the_interface_of_4_11_is_served(self) -> None:
        backend = self.make_backend()
        backend.startup(self.queue)
        backend.bulk_enqueue([self.job(0), self.job(1)], self.queue)
        for expected in (0, 1):
            job = backend.dequeue(self.queue, ONE, 1)
            assert job is not None
            assert job.args == [expected]
            backend.processed_job(self.queue, ONE, job)
        assert backend.dequeue(self.queue, ONE, 1) is None
        with self.consuming(backend) as consumer:
            assert consumer.take(0) is None

    # Helpers of the tests

    def job(self, *args: Any) -> Job:
        return Job("shop.tasks.send", list(args), {})

    @contextmanager
    def consuming(
        self,
        backend: BaseBackend | None = None,
        *,
        queue: QueueName | None = None,
        runner: Runner | None = None,
        previous: PreviousProcess | None = None,
    ) -> Iterator[Consumer]:
        consumer = (backend or self.make_backend()).consumer(
            queue or self.queue,
            ONE,
            runner or self.runner(),
            previous or PreviousProcess(),
            logger,
        )
        try:
            yield consumer
        finally:
            consumer.close()

    def take(self, consumer: Consumer, limit: float = 0) -> Delivery:
        """Take a job that must be there, or come within `limit` seconds."""
        end = time.monotonic() + limit
        while (delivery := consumer.take(min(limit, 5))) is None:
            assert time.monotonic() < end, "there is no job"
        return delivery

    def drain(self, consumer: Consumer) -> list[Any]:
        """Return the first arguments of all jobs, each acknowledged."""
        found = []
        while (delivery := consumer.take(0)) is not None:
            found.append(self.first_argument(delivery))
            consumer.acknowledge(delivery)
        return found

    def first_argument(self, delivery: Delivery) -> Any:
        assert delivery.job is not None
        return delivery.job.args[0]

    def runner(self) -> Runner:
        return Runner(
            nonce=secrets.token_hex(8),
            host="contract",
            boot="contract",
            pid=os.getpid(),
            started=time.time(),
            pool_id="a11ce000",
            machine=1,
            of=1,
            exact=False,
            runs_cron=True,
            settings_module="contract",
            version="5",
        )
