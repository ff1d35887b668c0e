"""Whether stored jobs fit the functions of today."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlq.execution.job_fit import Fit, JobFit, TaskFit
from dlq.job import CRON_TASK, encode, new_job
from dlq.jobs.task import RESULT_KEYWORD, Task
from tests.project.orders import tasks as orders


class Declared(Task):
    def __init__(self, fn: Callable[..., Any]) -> None:
        self.path, self.fn = "shop.tasks.task", fn


def fit(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Fit:
    return TaskFit.of(Declared(fn)).check(args, kwargs)


def confirm(order_id: int, /, mail: str | None = None, *, vip: bool = False) -> None: ...


def report(day: str, *pages: int, title: "str", **more: float) -> None: ...  # noqa: UP037


def tags(names: list[str], by: Mapping[str, int], when: "Missing" = None) -> None: ...  # type: ignore[name-defined]  # noqa: F821, UP037


@pytest.mark.parametrize(
    ("found", "kind", "text"),
    [
        (fit(confirm, 7), "fits", ""),
        (fit(confirm, 7, "a@b", vip=True), "fits", ""),
        (fit(confirm, 7, None), "fits", ""),
        (fit(confirm), "missing_argument", "missing argument order_id"),
        (fit(confirm, order_id=7), "unknown_keyword", "unknown keyword order_id"),
        (fit(confirm, 7, vib=True), "unknown_keyword", "unknown keyword vib"),
        (fit(confirm, 7, "a", 3), "too_many_arguments", "3 arguments by position, and it takes 2"),
        (fit(confirm, 7, "a", mail="b"), "too_many_arguments", "mail is given by position"),
        (fit(confirm, "7"), "wrong_type", "order_id is text, and must be int"),
        (fit(confirm, 7, 1), "wrong_type", "mail is a number, and must be str | None"),
        (fit(report, "x", 1, 2, title="t", factor=1), "fits", ""),
        (fit(report, "x"), "missing_argument", "missing argument title"),
        (fit(report, "x", title=None), "wrong_type", "title is null, and must be str"),
        (fit(tags, "x", 3), "fits", ""),
        (fit(print, 1, 2, nonsense=3), "fits", ""),
    ],
)
def test_a_call_against_a_function(found: Fit, kind: str, text: str) -> None:
    assert found.kind == kind
    assert text in found.text


VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=3))
NAMES = st.sampled_from(["a", "b", "c", "d", "e"])

FUNCTIONS: list[Callable[..., None]] = [
    lambda: None,
    lambda a, b=1: None,
    lambda a, /, b, *, c, d=2: None,
    lambda a, *b, c=1: None,
    lambda a=1, **e: None,
    lambda a, b, /, c=3, **e: None,
    lambda *a, b, **c: None,
]


@settings(deadline=None)
@given(
    st.sampled_from(FUNCTIONS),
    st.lists(VALUES, max_size=4),
    st.dictionaries(NAMES, VALUES, max_size=4),
)
def test_it_fits_exactly_where_python_binds(
    fn: Callable[..., None], args: Sequence[Any], kwargs: dict[str, Any]
) -> None:
    try:
        inspect.signature(fn).bind(*args, **kwargs)
    except TypeError:
        binds = False
    else:
        binds = True
    found = fit(fn, *args, **kwargs)
    assert found.is_good == binds, found
    assert binds or found.text


def test_a_job_by_its_path() -> None:
    path = orders.confirm.path
    checks = JobFit([path, "shop.tasks.call"], commands={"expire_baskets"})
    job = new_job(path.replace("confirm", "confirn"), (), {}, None, False)
    found = checks.check(job)
    assert found.kind == "no_task"
    assert found.help == f"did you mean {path}?"
    moved = checks.check(new_job("gone.place.call", (), {}, None, False))
    assert moved.help == "did you mean shop.tasks.call?"
    assert checks.check_raw(b"{") == ("", checks.check_raw(b"{")[1])
    assert checks.check_raw(b"{")[1].kind == "undecodable"
    cron = encode(new_job(CRON_TASK, ("expire_baskets", "--all"), {}, None, False))
    assert checks.check_raw(cron) == (CRON_TASK, Fit("fits"))
    other = checks.check(new_job(CRON_TASK, ("expire_basket",), {}, None, False))
    assert (other.kind, other.help) == ("no_command", "did you mean 'expire_baskets'?")


def test_a_module_that_is_no_app_is_not_imported() -> None:
    checks = JobFit([])
    found = checks.check(new_job("this.anything", (), {}, None, False))
    assert found.kind == "no_task"


def test_a_task_of_djangos_framework() -> None:
    """Its job carries the id of its result, and the worker may add a context."""

    class WithContext(Declared):
        gives_context = True

    def attempt(context: object, number: int) -> None: ...

    checks = TaskFit.of(WithContext(attempt))
    assert checks.check((7,), {RESULT_KEYWORD: "id"}).is_good
    assert checks.check((), {}).text == "missing argument number"
    assert checks.check(("7",), {}).kind == "wrong_type"
    assert checks.check((), {"number": "7"}).kind == "wrong_type"
