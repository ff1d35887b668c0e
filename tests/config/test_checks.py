"""The checks that are told about queues and ports by whoever has a plan."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from dlq.config import PREFIX
from dlq.config.resolution import Resolution
from dlq.config.resolve import resolve
from dlq.jobs.declarations import Declaration
from dlq.project.check_queues import check_declared_queues, check_metrics_ports, check_overrides
from dlq.types import QueueName, Source


def resolved(**values: object) -> Resolution:
    settings = SimpleNamespace(**{PREFIX + name: value for name, value in values.items()})
    return resolve(settings, environ={})


def test_an_override_for_a_queue_that_does_not_exist() -> None:
    resolution = resolved(BACKEND_OVERRIDES={"typo": "a.b.C", "emails": "a.b.C", "zz": "a.b.C"})
    one, two = check_overrides(resolution, {"emails", "typ0"})
    assert one.id == two.id == "dlq.W117"
    assert "queue 'typo' is not in WORKERS" in one.message
    assert one.help == "did you mean 'typ0'?"
    assert two.help == "remove it, or add 'zz' to WORKERS"


def test_an_override_for_a_queue_that_an_override_file_drops() -> None:
    """The file replaces WORKERS and says nothing of backends: that is no mistake of anybody's."""
    settings = SimpleNamespace(
        LIGHTWEIGHT_QUEUE_WORKERS={"emails": 3},
        LIGHTWEIGHT_QUEUE_BACKEND_OVERRIDES={"emails": "a.b.C"},
    )
    resolution = resolve(settings, environ={"LIGHTWEIGHT_QUEUE_WORKERS": "images=6"})
    assert list(check_overrides(resolution, {"images"})) == []


def test_queues_that_tasks_name_in_a_way_that_cannot_be() -> None:
    source = Source("task", "orders/tasks.py", 3)
    told = check_declared_queues(
        [
            Declaration(QueueName("good"), source, "orders.tasks.a"),
            Declaration(None, source),  # type: ignore[arg-type]  # users do that
            Declaration(None, source, "orders.tasks.b"),  # type: ignore[arg-type]  # users do that
            Declaration(QueueName("a b"), source),
        ]
    )
    one, two = told
    assert one.id == two.id == "dlq.E102"
    assert one.message == "queue None of orders.tasks.b: queue names are text, not NoneType"
    assert two.message == "queue 'a b': a queue's name cannot have a space"
    assert two.help == "for instance 'a-b'"
    assert one.source == source


@pytest.mark.parametrize(
    ("start", "workers", "redis_port", "message", "help"),
    [
        (65535, 3, 6379, "3 workers need ports 65535 to 65538", "use 65532 or less"),
        (65533, 3, 6379, "3 workers need ports 65533 to 65536", "use 65532 or less"),
        (6378, 1, 6379, "1 worker needs ports 6378 and 6379", "use 6380"),
        (6377, 2, 6379, "Redis has port 6379", "use 6380"),
    ],
)
def test_ports_that_do_not_fit(
    start: int, workers: int, redis_port: int, message: str, help: str
) -> None:
    resolution = resolved(
        ENABLE_PROMETHEUS=True, PROMETHEUS_START_PORT=start, REDIS_PORT=redis_port
    )
    (finding,) = check_metrics_ports(resolution, workers)
    assert finding.id == "dlq.E118"
    assert message in finding.message
    assert help in (finding.help or "")


@pytest.mark.parametrize(
    ("values", "workers"),
    [
        ({"PROMETHEUS_START_PORT": 65532}, 3),
        ({"PROMETHEUS_START_PORT": 65535}, 0),
        ({"PROMETHEUS_START_PORT": 6378, "REDIS_HOST": "redis.internal"}, 3),
        ({"PROMETHEUS_START_PORT": 6380}, 3),
        ({"PROMETHEUS_START_PORT": 65535, "ENABLE_PROMETHEUS": False}, 3),
    ],
)
def test_ports_that_fit(values: dict[str, object], workers: int) -> None:
    resolution = resolved(**{"ENABLE_PROMETHEUS": True, **values})
    assert list(check_metrics_ports(resolution, workers)) == []
