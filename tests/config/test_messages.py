"""What a person is told for each bad value: the rule, what is wrong with it, and what to type."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dlq.config import PREFIX
from dlq.config.resolution import Resolution
from dlq.config.resolve import resolve
from dlq.diagnostics.finding import Finding

ROWS: list[tuple[dict[str, Any], str, str, str]] = [
    # settings · rule · part of the message · part of the help
    (
        {"WORKERS": {"q": "3"}},
        "E101",
        "WORKERS['q'] is '3': must be a whole number from 0 to 1024",
        "3",
    ),
    (
        {"WORKERS": {"images": -1}},
        "E101",
        "WORKERS['images'] is -1: a queue cannot have fewer than 0 workers",
        "use 0 to stop running this queue, or remove the entry",
    ),
    ({"WORKERS": {"q": 1025}}, "E101", "cannot have more than 1024 workers", "1024"),
    ({"WORKERS": {"q": True}}, "E101", "WORKERS['q'] is True: must be a whole number", "use 1"),
    (
        {"WORKERS": {"q": None}},
        "E101",
        "WORKERS['q'] is None: must be a whole number",
        "remove the",
    ),
    ({"WORKERS": {"q": 2.0}}, "E101", "WORKERS['q'] is 2.0: must be a whole number", "use 2"),
    ({"WORKERS": ["q"]}, "E103", "must be a dict of queue names and numbers", "{'q': 1}"),
    ({"WORKERS": None}, "E103", "WORKERS is None: must be a dict", "remove it"),
    ({"WORKERS": {1: 1}}, "E102", "WORKERS[1]: queue names are text, not int", "'1'"),
    ({"WORKERS": {None: 1}}, "E102", "WORKERS[None]: queue names are text, not NoneType", ""),
    ({"WORKERS": {("a", 1): 1}}, "E102", "WORKERS[('a', 1)]: queue names are text, not", ""),
    ({"MIDDLEWARE": [3]}, "E103", "MIDDLEWARE[0] is 3: must be a dotted path", ""),
    ({"WORKERS": {"a*": 1}}, "E102", "cannot have any of * ? [ ] ^ \\", "'a'"),
    ({"WORKERS": {"a[b]": 1}}, "E102", "cannot have any of", "'ab'"),
    ({"WORKERS": {"x:pause": 1}}, "E102", "the key that pauses queue 'x'", ""),
    ({"WORKERS": {"x:processing:1": 1}}, "E102", "jobs in hand of queue 'x'", ""),
    ({"WORKERS": {"x:processing": 1}}, "E102", "jobs in hand of queue 'x'", ""),
    ({"WORKERS": {"q ": 1}}, "E102", "WORKERS['q ']: a queue's name cannot have a trailing", "'q'"),
    ({"WORKERS": {"a b": 1}}, "E102", "cannot have a space", "'a-b'"),
    ({"WORKERS": {"a\nb": 1}}, "E102", "U+000A", ""),
    ({"WORKERS": {"a\x1bb": 1}}, "E102", "control character U+001B", ""),
    ({"WORKERS": {"a\u202eb": 1}}, "E102", "U+202E", ""),
    ({"WORKERS": {"": 1}}, "E102", "cannot be empty", ""),
    ({"WORKERS": {"Q": 1, "q": 1}}, "W102", "'Q' and 'q' differ only in case", ""),
    ({"WORKERS": {"q": 0}}, "W101", "queue 'q' has 0 workers", ""),
    ({"BACKEND": "redis"}, "E110", "must be a dotted path", "reliable_redis.ReliableRedisBackend"),
    ({"BACKEND": "a..b"}, "E110", "must be a dotted path", ""),
    ({"BACKEND": None}, "E103", "BACKEND is None: must be a dotted path", "remove it"),
    ({"BACKEND": int}, "E103", "must be a dotted path", ""),
    (
        {"BACKEND_OVERRIDES": {"q": "redis"}},
        "E110",
        "BACKEND_OVERRIDES['q'] is 'redis'",
        "reliable",
    ),
    ({"BACKEND_OVERRIDES": {"q*": "a.b.C"}}, "E102", "BACKEND_OVERRIDES['q*']", "'q'"),
    ({"BACKEND_OVERRIDES": ["q"]}, "E103", "a dict of queue names and dotted paths", ""),
    ({"MIDDLEWARE": "a.b.C"}, "E103", "must be a list of dotted paths", "['a.b.C']"),
    ({"MIDDLEWARE": ["C"]}, "E110", "MIDDLEWARE[0] is 'C': must be a dotted path", ""),
    ({"MIDDLEWARE": [3]}, "E103", "MIDDLEWARE[0] is 3: must be a dotted path", ""),
    ({"LOGGER_FACTORY": 3}, "E110", "must be the dotted path of a function, or a function", ""),
    ({"LOGGER_FACTORY": "getLogger"}, "E110", "must be a dotted path", ""),
    ({"IGNORE_APPS": "app"}, "E103", "must be a list of apps", "['app']"),
    ({"IGNORE_APPS": [""]}, "E104", "IGNORE_APPS[0] is '': must be text that is not empty", ""),
    ({"ATOMIC_JOBS": "no"}, "E103", "ATOMIC_JOBS is 'no': must be True or False", "use False"),
    ({"ATOMIC_JOBS": 2}, "E103", "ATOMIC_JOBS is 2: must be True or False", ""),
    ({"ATOMIC_JOBS": 1.0}, "E103", "ATOMIC_JOBS is 1.0: must be True or False", ""),
    ({"REDIS_PORT": "abc"}, "E103", "must be a whole number from 1 to 65535", "6379"),
    ({"REDIS_PORT": "63 79"}, "E103", "must be a whole number from 1 to 65535", "6379"),
    ({"REDIS_PORT": "70000"}, "E104", "must be a whole number from 1 to 65535", ""),
    ({"REDIS_PORT": True}, "E103", "must be a whole number from 1 to 65535", "use 1"),
    ({"REDIS_PORT": 6379.0}, "E103", "must be a whole number from 1 to 65535", "use 6379"),
    ({"REDIS_PORT": 70000}, "E104", "REDIS_PORT is 70000: must be a whole number from 1", ""),
    ({"REDIS_PORT": 0}, "E104", "from 1 to 65535", ""),
    (
        {"REDIS_HOST": "redis://h"},
        "E105",
        "must be a host name only",
        "LIGHTWEIGHT_QUEUE_REDIS_URL",
    ),
    ({"REDIS_HOST": "h:6380"}, "E105", "must be a host name only", "REDIS_PORT = 6380"),
    ({"REDIS_HOST": ""}, "E105", "must be a host name or an address", ""),
    ({"REDIS_HOST": "[::1]"}, "E105", "must be a host name or an address", "use '::1'"),
    ({"REDIS_HOST": "[::1]:6380"}, "E105", "must be a host name only", "REDIS_PORT = 6380"),
    ({"REDIS_URL": "redis://::1:6379"}, "E106", "its host", "redis://[::1]:6379/0"),
    ({"REDIS_URL": "redis://u:p@::1"}, "E106", "its host", "redis://[::1]:6379/0"),
    ({"REDIS_URL": "redis://fe80::1/0"}, "E106", "its host", "redis://[::1]:6379/0"),
    ({"REDIS_DATABASE": -1}, "E104", "must be a whole number from 0 to 65535", ""),
    (
        {"REDIS_PASSWORD": b"x"},
        "E103",
        "REDIS_PASSWORD is of type bytes: must be text, or None",
        "",
    ),
    ({"REDIS_PASSWORD": 3}, "E103", "REDIS_PASSWORD is of type int: must be text, or None", ""),
    ({"REDIS_PREFIX": 1}, "E103", "REDIS_PREFIX is 1: must be text", "'1'"),
    ({"REDIS_URL": "http://h"}, "E106", "must start with one of redis://", ""),
    ({"REDIS_URL": "redis://h:port"}, "E106", "its host or port cannot be read", ""),
    ({"REDIS_URL": "redis://h/name"}, "E106", "its database must be a number", ""),
    ({"REDIS_URL": "redis://h/65536"}, "E106", "its database must be a number from 0 to 65535", ""),
    ({"REDIS_URL": "unix:///s?db=" + "9" * 5000}, "E106", "a number from 0 to 65535", ""),
    ({"REDIS_URL": "unix://"}, "E106", "has no path of a socket", ""),
    ({"REDIS_URL": "redis:///0"}, "E106", "names no host", "as in redis://redis.internal:6379/0"),
    (
        {"REDIS_URL": "redis://h/0?retry_on_timeout=1"},
        "E106",
        "has an option that is not known",
        "",
    ),
    ({"REDIS_URL": "unix:///s?db=x"}, "E106", "its database must be a number", ""),
    (
        {"REDIS_URL": "redis://h/0?ssl_ca_certs=ca.pem"},
        "E106",
        "its option ssl_ca_certs is for TLS",
        "start it with rediss://",
    ),
    (
        {"REDIS_URL": "rediss://h/0?ssl_cert_reqs=no"},
        "E106",
        "its option ssl_cert_reqs must be one of required, optional, none",
        "",
    ),
    ({"REDIS_URL": "redis://h", "REDIS_PORT": 1}, "E107", "beside REDIS_PORT", "remove"),
    ({"REDIS_SOCKET_TIMEOUT": 5}, "E108", "must be longer than DEQUEUE_TIMEOUT (15)", "use 30"),
    ({"DEQUEUE_TIMEOUT": 30}, "E108", "must be longer than DEQUEUE_TIMEOUT (30)", ""),
    ({"REDIS_SOCKET_TIMEOUT": 0}, "E104", "a number of seconds above 0, up to 86400, or None", ""),
    ({"DEQUEUE_TIMEOUT": 301}, "E104", "must be a whole number from 1 to 300", ""),
    ({"PROMETHEUS_START_PORT": "9300x"}, "E103", "must be a whole number", "is 9300"),
    ({"PROMETHEUS_ADDRESS": "localhost"}, "E105", "must be an IP address", "'127.0.0.1'"),
    ({"PROMETHEUS_ADDRESS": "0.0.0.0"}, "W121", "can read the metrics", "'127.0.0.1'"),
    ({"PROMETHEUS_ADDRESS": "::"}, "W121", "can read the metrics", "'127.0.0.1'"),
    ({"SITE_URL": "shop.example"}, "E105", "must be an http or https URL", ""),
    ({"STOP_TIMEOUT": -1}, "E104", "must be a number of seconds from 0 to 2592000, or None", ""),
    ({"STOP_TIMEOUT": float("inf")}, "E104", "must be a number of seconds", ""),
    ({"MAX_CRASHES": 0}, "E104", "MAX_CRASHES is 0: must be a whole number from 1 to 1000", ""),
    ({"CRON_TIMEZONE": "Europe/Belin"}, "E105", "IANA name of a time zone", "'Europe/Berlin'"),
    ({"CRON_TIMEZONE": "../etc/passwd"}, "E105", "IANA name of a time zone", ""),
    ({"PLACEMENT": "sticky"}, "E104", "must be 'dealt' or 'stable'", ""),
    ({"CRON_MACHINES": "some"}, "E104", "must be 'first' or 'all'", ""),
    ({"WORKER": {"q": 1}}, "W002", "unknown setting LIGHTWEIGHT_QUEUE_WORKER", "QUEUE_WORKERS?"),
    (
        {"REDIS_PROT": 1},
        "W002",
        "unknown setting LIGHTWEIGHT_QUEUE_REDIS_PROT",
        "QUEUE_REDIS_PORT?",
    ),
]


def resolved(**values: object) -> Resolution:
    settings = SimpleNamespace(**{PREFIX + name: value for name, value in values.items()})
    return resolve(settings, environ={})


def found(resolution: Resolution, code: str) -> list[Finding]:
    return [finding for finding in resolution.findings if finding.id == f"dlq.{code}"]


@pytest.mark.parametrize(("values", "code", "message", "help"), ROWS)
def test_a_bad_value_is_reported(
    values: dict[str, Any], code: str, message: str, help: str
) -> None:
    resolution = resolved(**values)
    (finding,) = found(resolution, code)
    assert message in finding.message
    assert help in (finding.help or "")
    assert finding.source is not None
    assert len(resolution.findings) == 1
    assert (resolution.settings is None) == (finding.level == "error")


def test_all_mistakes_are_reported_at_once() -> None:
    values: dict[str, object] = {}
    expected = 0
    for row, code, _, _ in ROWS:
        if code in {"E101", "E103", "E104", "E105", "E110"} and not set(row) & set(values):
            values |= row
            expected += 1
    resolution = resolved(**values)
    assert resolution.settings is None
    told = [f for f in resolution.findings if f.level == "error"]
    assert len(told) == expected > 15


def test_the_message_of_the_negative_count_is_exactly_the_documented_one() -> None:
    (finding,) = found(resolved(WORKERS={"images": -1}), "E101")
    assert finding.message == (
        "LIGHTWEIGHT_QUEUE_WORKERS['images'] is -1: a queue cannot have fewer than 0 workers"
    )
    assert finding.help == "use 0 to stop running this queue, or remove the entry"


def test_several_mistakes_in_one_dict_are_all_told() -> None:
    resolution = resolved(WORKERS={"a": -1, "b": "3", "c*": 1, "d": 0, "D": 1})
    assert [finding.id.removeprefix("dlq.") for finding in resolution.findings] == [
        *("E101", "E101", "E102", "W101", "W102")
    ]


@pytest.mark.parametrize(
    "values",
    [
        {"WORKERS": {"a:b": 1, "é": 1024, "x-1_2.3": 0}},
        {"MIDDLEWARE": ["a.b.C"]},
        {"MIDDLEWARE": ("a.b.C",)},
        {"MIDDLEWARE": []},
        {"IGNORE_APPS": {"b", "a"}},
        {"REDIS_PASSWORD": ""},
        {"REDIS_HOST": "::1"},
        {"REDIS_HOST": "redis.internal"},
        {"REDIS_URL": "rediss://user:p%40ss@h:6380/3?ssl_cert_reqs=none"},
        {"REDIS_URL": "unix:///run/valkey.sock?db=1"},
        {"REDIS_URL": "valkey://h"},
        {"REDIS_URL": None, "REDIS_PORT": 6380},
        {"REDIS_SOCKET_TIMEOUT": None, "DEQUEUE_TIMEOUT": 300},
        {"REDIS_SOCKET_TIMEOUT": 15.5},
        {"STOP_TIMEOUT": 10},
        {"CRON_TIMEZONE": "Europe/Berlin"},
        {"LOGGER_FACTORY": print},
        {"SITE_URL": "https://shop.example/queue"},
    ],
)
def test_a_good_value_is_not_reported(values: dict[str, Any]) -> None:
    resolution = resolved(**values)
    assert [f for f in resolution.findings if f.id != "dlq.W101"] == []
    assert resolution.settings is not None


def test_sets_lists_and_tuples_are_all_lists() -> None:
    settings = resolved(IGNORE_APPS={"b", "a"}, MIDDLEWARE=["a.b.C"]).settings
    assert settings is not None
    assert settings.ignore_apps == ("a", "b")
    assert settings.middleware == ("a.b.C",)


def test_old_paths_are_resolved_to_the_new_ones() -> None:
    old = "django_lightweight_queue"
    settings = resolved(
        BACKEND=f"{old}.backends.reliable_redis.ReliableRedisBackend",
        BACKEND_OVERRIDES={"q": f"{old}.backends.redis.RedisBackend"},
        MIDDLEWARE=[f"{old}.middleware.logging.LoggingMiddleware", "shop.Middleware"],
    ).settings
    assert settings is not None
    assert settings.backend == "dlq.backends.reliable_redis.ReliableRedisBackend"
    assert settings.backend_overrides["q"] == "dlq.backends.redis.RedisBackend"
    assert settings.middleware == ("dlq.middleware.logging.LoggingMiddleware", "shop.Middleware")


def test_a_site_url_of_others_is_no_error() -> None:
    resolution = resolve(SimpleNamespace(SITE_URL="shop"), environ={})
    (finding,) = found(resolution, "W122")
    assert "LIGHTWEIGHT_QUEUE_SITE_URL" in (finding.help or "")
    assert resolution.settings is not None
    assert resolution.settings.site_url == "http://localhost:8000"


def test_the_site_url_of_django_is_used() -> None:
    resolution = resolve(SimpleNamespace(SITE_URL="https://shop.example"), environ={})
    assert resolution.settings is not None
    assert resolution.settings.site_url == "https://shop.example"


def test_django_without_settings_is_reported() -> None:
    import subprocess
    import sys

    code = (
        "from dlq.config.resolve import resolve_from_django\n"
        "r = resolve_from_django()\n"
        "assert r.settings is None and r.values, r\n"
        "print(r.findings[0].id, r.findings[0].help)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.startswith("dlq.E001 set DJANGO_SETTINGS_MODULE")
