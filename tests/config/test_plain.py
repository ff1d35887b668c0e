"""Settings that are told to be right without the model: it must say the same of them."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dlq.config.model import SettingsModel
from dlq.config.plain import ACCEPT, plain_settings
from dlq.config.settings import DEFAULTS, Settings

FITTING: dict[str, list[Any]] = {
    "workers": [{"emails": 3, "images": 0}, {}, {"q": 1024}],
    "backend": ["django_lightweight_queue.backends.redis.RedisBackend", "a.b"],
    "backend_overrides": [{"reports": "dlq.backends.redis.RedisBackend"}, {}],
    "middleware": [["a.b", "shop.middleware.Timing"], ("a.b",), []],
    "logger_factory": ["shop.logging.make"],
    "ignore_apps": [["shop.old"], ()],
    "atomic_jobs": [False, True],
    "redis_host": ["redis.internal", "::1", "10.0.0.1"],
    "redis_port": [1, 65535],
    "redis_password": ["geheim", "", None],
    "redis_database": [0, 15],
    "redis_prefix": ["shop", ""],
    "redis_url": ["redis://u:p@h:6379/1", "rediss://h?ssl_cert_reqs=none", "unix:///run/s", None],
    "redis_socket_timeout": [30, 0.5, None],
    "dequeue_timeout": [1, 300],
    "enable_prometheus": [True],
    "prometheus_start_port": [9300],
    "prometheus_address": ["0.0.0.0", "::"],
    "site_url": ["https://shop.example"],
    "worker_max_jobs": [0, 10_000],
    "worker_max_idle": [0, 60, 1.5],
    "stop_timeout": [0, 20, None],
    "max_crashes": [1],
    "failed_keep": [0],
    "cron_timezone": ["UTC", "Europe/Berlin"],
    "cron_machines": ["first", "all"],
    "cron_catch_up": [0, 600],
    "task_modules": [["shop.jobs"]],
    "cron_commands": [["expire_baskets"]],
    "preload": [False],
}
ODD: list[Any] = [
    *(None, True, False, 0, 1, -1, 0.0, -0.0, 1.0, 0.0005, 1e308, float("nan"), float("inf")),
    *(2**53, 2**53 + 1, 10**400, 1025, 65536, 301, b"x", object(), int, len),
    *("", " ", "x", "a.b", "a..b", "é.b", "\ud800", "a\0b", "redis", "first", "Mars/Olympus"),
    *("redis://", "redis://h:0", "http://h", "unix://", "redis://h/x", "h:6379", "1.2.3", "../x"),
    *([], (), {}, set(), [1], ["\ud800"]),
    *(["a.b", None], ["é"], [""], {"q": "a.b"}, {"q": True}, {"q": 1.0}),
    *({1: 1}, {"a b": 1}, {"é": 1}, {"q": -1}, {"q": 1025}, {"": 1}, {"x:pause": 1}, {"q": [1]}),
    type("Name", (str,), {})("a.b"),
    type("Number", (int,), {})(3),
    type("Names", (list,), {})(["a.b"]),
    type("Table", (dict,), {})({"q": 1}),
]

text = st.text(st.one_of(st.sampled_from(string.printable + ":/.@?é\ud800"), st.characters()))
simple = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 70_000), st.integers(), st.floats(), text
)
anything = st.one_of(
    simple,
    st.sampled_from([*ODD, *(value for values in FITTING.values() for value in values)]),
    st.lists(simple, max_size=3),
    st.dictionaries(text, simple, max_size=3),
)


def as_the_model_has_it(values: dict[str, object]) -> Settings | None:
    try:
        return SettingsModel.model_validate(values).settings()
    except ValidationError:
        return None


def facts(settings: Settings | None) -> Any:
    """With the types: 1 is no 1.0 and no True, to who reads it."""
    if settings is None:
        return None
    shown = [f"{type(value).__name__} {value!r}" for value in settings]
    return shown, [getattr(value, "get_secret_value", str)() for value in settings]


def test_each_setting_is_known() -> None:
    assert tuple(ACCEPT) == Settings._fields == tuple(SettingsModel.model_fields)
    assert set(FITTING) == set(ACCEPT)


def test_the_model_has_the_same_defaults() -> None:
    assert facts(SettingsModel().settings()) == facts(DEFAULTS) == facts(plain_settings({}))


@pytest.mark.parametrize("name", ACCEPT)
def test_what_the_model_refuses_is_not_plain(name: str) -> None:
    for value in ODD:
        plain = plain_settings({name: value})
        assert plain is None or facts(plain) == facts(as_the_model_has_it({name: value})), value


@given(st.dictionaries(st.sampled_from([*ACCEPT, "worker"]), anything, min_size=1, max_size=2))
def test_both_say_the_same(values: dict[str, Any]) -> None:
    plain = plain_settings(values)
    assert plain is None or facts(plain) == facts(as_the_model_has_it(values))


@pytest.mark.parametrize("name", ACCEPT)
def test_what_projects_have_is_plain(name: str) -> None:
    """Else a start takes longer for it."""
    for value in FITTING[name]:
        plain = plain_settings({name: value})
        assert plain is not None, value
        assert facts(plain) == facts(as_the_model_has_it({name: value})), value
