"""One owner of the live objects: made when asked for, dropped when the settings change."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.core.exceptions import MiddlewareNotUsed
from django.test import override_settings

from dlq import runtime
from dlq.config.settings import Settings
from dlq.runtime import Runtime
from dlq.types import QueueName
from tests.unit import recording
from tests.unit.recording import AnotherBackend, RecordingBackend

A, B, C = QueueName("a"), QueueName("b"), QueueName("c")


class WithSettings(RecordingBackend):
    def __init__(self, settings: Settings) -> None:
        self.settings = settings


class Used:
    pass


class Unused:
    def __init__(self) -> None:
        raise MiddlewareNotUsed


made: list[str] = []


def factory(name: str) -> logging.Logger:
    made.append(name)
    return logging.getLogger(f"made.{name}")


def test_queues_of_one_class_share_a_backend() -> None:
    live = Runtime(
        Settings(
            backend=recording.PATH, backend_overrides={"b": f"{recording.__name__}.AnotherBackend"}
        )
    )
    assert type(live.backend(A)) is RecordingBackend
    assert live.backend(A) is live.backend(C)
    assert type(live.backend(B)) is AnotherBackend
    assert live.backends() == (live.backend(A), live.backend(B))


def test_a_backend_that_wants_the_settings_gets_them() -> None:
    settings = Settings(backend=f"{__name__}.WithSettings")
    backend: Any = Runtime(settings).backend(A)
    assert backend.settings is settings


def test_middleware_that_is_not_used_is_left_out() -> None:
    live = Runtime(Settings(middleware=(f"{__name__}.Unused", f"{__name__}.Used")))
    assert [type(each) for each in live.middleware()] == [Used]
    assert live.middleware() is live.middleware()


@pytest.mark.parametrize("value", [factory, f"{__name__}.factory"])
def test_loggers_come_from_the_factory_once_each(value: Any) -> None:
    made.clear()
    live = Runtime(Settings(logger_factory=value))
    assert live.logger("dlq.x") is live.logger("dlq.x")
    assert made == ["dlq.x"]


def test_override_settings_simply_works() -> None:
    with override_settings(LIGHTWEIGHT_QUEUE_BACKEND=recording.PATH):
        inside = runtime.current()
        assert type(inside.backend(A)) is RecordingBackend
        assert runtime.current() is inside
    assert runtime.current() is not inside
    assert type(runtime.current().backend(A)) is not RecordingBackend
