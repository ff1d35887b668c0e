"""The stored form of a job, letter for letter, and what is told about bytes that are none."""

from __future__ import annotations

import copy
import enum
import json
import pickle
import sys
from collections import OrderedDict
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlq.errors import UndecodableJob, UnknownTask, UnusableArgument
from dlq.job import Clock, Job, at, decode, encode, time_text
from dlq.jobs.arguments import MAX_DEPTH, check_arguments

CREATED = datetime(2026, 11, 24, 8, 2, 5, 42)

STORED = (
    b'{"path": "orders.tasks.confirm", "args": [81, "Stra\\u00dfe"], "kwargs": {"again": true},'
    b' "timeout": 30, "sigkill_on_stop": false, "created_time": "2026-11-24 08:02:05.000042"}'
)
"""As a 4.11 worker's own encoder writes it (tests/compat compares with the real one)."""


def stored(**changes: object) -> bytes:
    """STORED with other values; `...` removes a key."""
    content = {**json.loads(STORED), **changes}
    return json.dumps({key: value for key, value in content.items() if value is not ...}).encode()


class TestStoredForm:
    def test_is_that_of_4_11_letter_for_letter(self) -> None:
        job = Job("orders.tasks.confirm", (81, "Straße"), {"again": True}, 30, created_time=CREATED)
        assert encode(job) == STORED

    def test_has_six_keys_and_never_another(self) -> None:
        job = Job("a.b", [], {}, None, True)
        assert list(json.loads(encode(job))) == [
            "path",
            "args",
            "kwargs",
            "timeout",
            "sigkill_on_stop",
            "created_time",
        ]

    def test_comes_back_with_its_values(self) -> None:
        job = decode(STORED)
        assert job.path == "orders.tasks.confirm"
        assert job.args == [81, "Straße"]
        assert job.kwargs == {"again": True}
        assert job.timeout == 30
        assert job.sigkill_on_stop is False
        assert job.created_time == CREATED

    @pytest.mark.parametrize(
        "raw",
        [
            STORED,
            STORED.replace(b": ", b":"),
            b"  " + STORED + b"\n",
            json.dumps(json.loads(STORED), ensure_ascii=False).encode(),
            stored(created_time=...),
            stored(unknown=1),
        ],
        ids=["4.11's", "no blanks", "padded", "UTF-8", "no created_time", "unknown key"],
    )
    def test_gives_back_the_bytes_that_it_was_read_from(self, raw: bytes) -> None:
        assert encode(decode(raw)) == raw
        assert decode(raw).to_json().encode() == raw

    def test_may_lack_what_old_jobs_lack(self) -> None:
        job = decode(stored(created_time=..., timeout=..., sigkill_on_stop=...))
        assert job.created_time is None
        assert job.created_time_str == ""
        assert job.timeout is None
        assert job.sigkill_on_stop is False

    def test_timeout_0_is_no_timeout_as_in_4_11(self) -> None:
        assert decode(stored(timeout=0)).timeout is None

    def test_from_json_takes_text_and_bytes(self) -> None:
        assert Job.from_json(STORED) == Job.from_json(STORED.decode())

    @given(
        args=st.lists(
            st.recursive(
                st.none() | st.booleans() | st.integers() | st.text(max_size=20),
                lambda inner: st.lists(inner, max_size=3),
                max_leaves=6,
            ),
            max_size=3,
        ),
        kwargs=st.dictionaries(
            st.text(max_size=10), st.integers() | st.text(alphabet=st.characters()), max_size=3
        ),
    )
    def test_carries_whatever_the_check_lets_through(
        self, args: list[Any], kwargs: dict[str, Any]
    ) -> None:
        check_arguments("a.b", args, kwargs)
        job = decode(encode(Job("a.b", args, kwargs)))
        assert job.args == args
        assert job.kwargs == kwargs


UNDECODABLE: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "not JSON"),
    "bad JSON": (b'{"path": ', "not JSON"),
    "bad UTF-8": (b'{"path": "\xff"}', "not UTF-8"),
    "null": (b"null", "a JSON null, not an object"),
    "list": (b"[]", "a JSON array, not an object"),
    "string": (b'"x"', "a JSON string, not an object"),
    "number": (b"1", "a JSON number, not an object"),
    "true": (b"true", "a JSON boolean, not an object"),
    "no path": (stored(path=...), "the key 'path' is missing"),
    "no args": (stored(args=...), "the key 'args' is missing"),
    "no kwargs": (stored(kwargs=...), "the key 'kwargs' is missing"),
    "path is no text": (stored(path=[1]), "'path' is a JSON array, not a dotted path"),
    "path is empty": (stored(path=""), "'path' is a JSON string, not a dotted path"),
    "args is an object": (stored(args={}), "'args' is a JSON object, not an array"),
    "args is text": (stored(args="ab"), "'args' is a JSON string, not an array"),
    "kwargs is a list": (stored(kwargs=[]), "'kwargs' is a JSON array, not an object"),
    "timeout is text": (stored(timeout="30"), "'timeout' is not a number of seconds"),
    "timeout is negative": (stored(timeout=-1), "'timeout' is not a number of seconds"),
    "timeout is beyond every clock": (
        stored(timeout=10**400),
        "'timeout' is not a number of seconds",
    ),
    "timeout is a huge float": (stored(timeout=1e300), "'timeout' is not a number of seconds"),
    "timeout is true": (stored(timeout=True), "'timeout' is not a number of seconds"),
    "timeout is infinite": (
        stored().replace(b'"timeout": 30', b'"timeout": 1e999'),
        "'timeout' is not a number of seconds",
    ),
    "timeout is NaN": (
        stored().replace(b'"timeout": 30', b'"timeout": NaN'),
        "'timeout' is not a number of seconds",
    ),
    "sigkill_on_stop is text": (stored(sigkill_on_stop="no"), "'sigkill_on_stop' is not true or"),
    "bad created_time": (stored(created_time="today"), "'created_time' is not like"),
    "created_time is a number": (stored(created_time=1), "'created_time' is not like"),
    "created_time with a zone": (
        stored(created_time="2026-11-24 08:02:05.000042+00:00"),
        "'created_time' is not like",
    ),
    "100k brackets": (b"[" * 100_000, "nested too deep"),
    "100k brackets in args": (stored(args="@").replace(b'"@"', b"[" * 100_000), "nested too deep"),
    "huge whole number": (stored(args="@").replace(b'"@"', b"[" + b"9" * 5000 + b"]"), "not JSON"),
}


@pytest.mark.parametrize(("raw", "reason"), UNDECODABLE.values(), ids=UNDECODABLE)
def test_what_is_no_job_is_told_with_its_bytes(raw: bytes, reason: str) -> None:
    with pytest.raises(UndecodableJob) as caught:
        decode(raw)
    assert reason in caught.value.reason
    assert caught.value.raw is raw


@given(st.binary() | st.binary().map(lambda noise: STORED[:40] + noise + STORED[40:]))
def test_no_bytes_raise_anything_else(raw: bytes) -> None:
    try:
        kept = encode(decode(raw))
    except UndecodableJob as problem:
        kept = problem.raw
    assert kept == raw


class Colour(enum.StrEnum):
    RED = "red"


class Point(NamedTuple):
    x: int
    y: int


class Model:
    """Looks like a model instance."""

    _meta = object()
    pk = 7


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth - 1):
        value = [value]
    return value


def endless() -> list[Any]:
    value: list[Any] = []
    value.append(value)
    return value


REFUSED: dict[str, tuple[Any, str, str]] = {
    "NaN": ([float("nan")], "args[0][0]", "pass None or a string"),
    "infinity": ({"x": float("-inf")}, "args[0]['x']", "pass None or a string"),
    "whole number as key": ({1: 2}, "args[0] has the key 1 of type int", "use '1'"),
    "None as key": ({None: 2}, "args[0] has the key None of type NoneType", "use 'None'"),
    "datetime": (CREATED, "args[0] is of type datetime.datetime", "value.isoformat()"),
    "date in a list": ([1, CREATED.date()], "args[0][1] is of type datetime.date", "isoformat"),
    "set": ({1}, "args[0] is of type builtins.set", "pass sorted(value)"),
    "bytes": (b"x", "args[0] is of type builtins.bytes", "pass text"),
    "Decimal": (Decimal(1), "args[0] is of type decimal.Decimal", "pass a str"),
    "UUID": (UUID(int=1), "args[0] is of type uuid.UUID", "pass a str"),
    "model": (Model(), "args[0] is of type tests.unit.test_job.Model", "pass its primary key"),
    "iterator": (iter(""), "args[0] is of type builtins.", "pass a str"),
    "too deep": (nested(MAX_DEPTH + 2), "is nested deeper than", "pass a flatter value"),
    "contains itself": (endless(), "contains itself", "pass a flatter value"),
    "huge whole number": (10**5000, "args[0] is a whole number of", "pass hex(value)"),
}


@pytest.mark.parametrize(("value", "place", "remedy"), REFUSED.values(), ids=REFUSED)
def test_arguments_that_json_cannot_carry_are_refused(value: Any, place: str, remedy: str) -> None:
    with pytest.raises(UnusableArgument) as caught:
        check_arguments("orders.tasks.confirm", [value], {})
    message = str(caught.value)
    assert message.startswith("orders.tasks.confirm: ")
    assert place in message
    assert remedy in message


def test_a_refused_argument_is_named_by_its_place() -> None:
    with pytest.raises(UnusableArgument, match=r"kwargs\['when'\]\[2\] is of type datetime"):
        check_arguments("a.b", [], {"when": [1, 2, CREATED]})


@pytest.mark.parametrize(
    ("value", "arrives"),
    [
        ((1, (2,)), [1, [2]]),
        (Point(1, 2), [1, 2]),
        (Colour.RED, "red"),
        (OrderedDict(a=1), {"a": 1}),
        (1.5, 1.5),
        ("\ud800", "\ud800"),
        (nested(MAX_DEPTH), nested(MAX_DEPTH)),
        (10**4000, 10**4000),
    ],
    ids=["tuple", "namedtuple", "enum", "ordered", "float", "surrogate", "deep", "long number"],
)
def test_arguments_that_arrive_a_little_different_are_let_through(value: Any, arrives: Any) -> None:
    check_arguments("a.b", [value], {})
    assert decode(encode(Job("a.b", [value], {}))).args == [arrives]


class TestJob:
    def test_middleware_can_set_attributes_and_stored_bytes_stay(self) -> None:
        job = decode(encode(Job("a.b", [1], {}, created_time=CREATED)))
        stored = job.to_json()
        job.args = [2]
        job.timeout = 5
        assert job.as_dict()["args"] == [2]
        assert job.to_json() == stored

    def test_shows_no_arguments(self) -> None:
        job = Job("a.b", ["secret"], {}, created_time=CREATED)
        assert repr(job) == "<Job: a.b @ 2026-11-24 08:02:05.000042>"

    def test_is_equal_by_its_stored_form(self) -> None:
        one, other = (Job("a.b", [1], {}, created_time=CREATED) for _ in range(2))
        assert one == other
        assert hash(one) == hash(other)
        assert one != Job("a.b", [2], {}, created_time=CREATED)
        assert one != "a.b"

    def test_has_an_identity_without_its_time(self) -> None:
        assert (
            decode(stored(created_time=...)).identity_without_created()
            == decode(STORED).identity_without_created()
            == json.dumps(
                {
                    "args": [81, "Straße"],
                    "kwargs": {"again": True},
                    "path": "orders.tasks.confirm",
                    "sigkill_on_stop": False,
                    "timeout": 30,
                }
            )
        )

    @pytest.mark.parametrize("clone", [copy.copy, lambda job: pickle.loads(pickle.dumps(job))])
    def test_can_be_copied(self, clone: Any) -> None:
        assert clone(decode(STORED)) == decode(STORED)

    def test_validate_refuses_what_no_worker_could_run(self) -> None:
        Job("tests.project.orders.tasks.confirm", [1], {}).validate()
        with pytest.raises(UnknownTask):
            Job("tests.project.orders.tasks.nosuch", [1], {}).validate()
        with pytest.raises(UnusableArgument):
            Job("tests.project.orders.tasks.confirm", [object()], {}).validate()

    def test_finds_its_task(self) -> None:
        from tests.project.orders.tasks import confirm

        job = Job("tests.project.orders.tasks.confirm", [1], {})
        assert job.get_task_instance() is confirm


def test_a_clock_writes_each_moment_as_a_job_would() -> None:
    """Also when the second changes."""
    clock = Clock()
    first, text = clock.read()
    moment = first
    while moment // 1_000_000 == first // 1_000_000:
        assert text == time_text(at(moment))
        moment, text = clock.read()
    assert text == time_text(at(moment))


def test_importing_it_costs_no_django() -> None:
    import subprocess

    subprocess.run(
        [sys.executable, "-c", "import sys, dlq.job; assert 'django' not in sys.modules"],
        check=True,
        timeout=60,
    )
