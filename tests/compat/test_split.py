"""The split of a pool is 4.11's, number for number, for some hundred configurations."""

from __future__ import annotations

import json
import random
from typing import Any

from dlq.planning.split import DEFAULT_QUEUE, Pool, compose_queues, split
from dlq.types import DEFAULT, QueueName
from tests.compat.predecessor import SHOP
from tests.kit.environments import Environment, run

NAMES = ["a", "B", "b", "cron", "default", "emails", "emails.high", "x-1", "x_1", "x10", "x2", "ä"]

CASES = 600


def make_case(source: random.Random) -> dict[str, Any]:
    def queues(limit: int) -> list[str]:
        return source.sample(NAMES, source.randint(0, limit))

    def counts() -> dict[str, int]:
        return {name: source.randint(0, 5) for name in queues(8)}

    of = source.randint(1, 6)
    exact = source.random() < 0.15
    workers = counts()
    return {
        "workers": workers,
        "tasks": [*queues(4), DEFAULT_QUEUE],
        "cron": queues(3),
        "override": counts() if exact or source.random() < 0.3 else None,
        "exact": exact,
        "machine": 1 if exact else source.randint(1, of),
        "of": 1 if exact else of,
        "only_queue": None
        if exact or source.random() < 0.7
        else source.choice([*NAMES, "cron_scheduler"]),
    }


def deal(case: dict[str, Any]) -> dict[str, Any]:
    overridden = case["override"] is not None
    workers = case["override"] if overridden else case["workers"]
    queues = compose_queues(
        workers,
        dict.fromkeys(map(QueueName, case["tasks"]), DEFAULT),
        dict.fromkeys(map(QueueName, case["cron"]), DEFAULT),
        {},
        "backend",
        exact=case["exact"],
        overridden=overridden,
    )
    pool = Pool(case["machine"], case["of"], case["exact"], case["only_queue"])
    answer = split(queues, pool, key_prefix="")
    return {
        "workers": [[worker.queue, worker.number] for worker in answer.workers],
        "runs_cron": answer.runs_cron,
    }


def test_the_split_is_that_of_4_11(predecessor: Environment) -> None:
    source = random.Random(4_11)
    cases = [make_case(source) for _ in range(CASES)]
    answers = json.loads(run([predecessor.python, str(SHOP / "deal.py")], input=json.dumps(cases)))
    assert len(answers) == CASES
    assert sum(len(answer["workers"]) for answer in answers) > CASES
    different = [
        (case, theirs, deal(case))
        for case, theirs in zip(cases, answers, strict=True)
        if deal(case) != theirs
    ]
    assert different == []
