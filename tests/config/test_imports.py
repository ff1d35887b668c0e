"""Settings that name classes, functions and apps are looked at, and what is wrong is told in the
words of the user."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dlq.config import PREFIX
from dlq.config.resolve import resolve
from dlq.diagnostics.finding import Finding
from dlq.project.check_imports import check_imports
from tests.config import projects

SHOP = {
    "lab/backends.py": """\
        from dlq.backends.base import BaseBackend

        class Half(BaseBackend):
            def enqueue(self, job, queue):
                pass

        class Whole(Half):
            def dequeue(self, queue, worker_num, timeout):
                return None

            def length(self, queue):
                return 0

        class Needy(Whole):
            def __init__(self, host, port, settings):
                pass

        class WithSettings(Whole):
            def __init__(self, settings):
                pass
        """,
    "lab/broken.py": "\nraise RuntimeError('no luck')\n",
    "lab/needs.py": "import nothing_there\n",
    "lab/middleware.py": """\
        class Good:
            def process_result(self, job, result, time_taken):
                pass

        class Misspelt:
            def proces_job(self, job, queue, worker_num):
                pass

        class Empty:
            pass

        number = 3
        """,
    "lab/loggers.py": """\
        def nothing(name):
            return None

        def raising(name):
            raise ValueError(name)

        text = "x"
        """,
}


@pytest.fixture(autouse=True)
def _lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    projects.write(tmp_path, SHOP)
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "lab"]:
        del sys.modules[name]


def found(**values: object) -> list[Finding]:
    settings = SimpleNamespace(**{PREFIX + name: value for name, value in values.items()})
    return [
        finding
        for finding in check_imports(resolve(settings, environ={}))
        # The default backend is none of this module's business.
        if "dlq.backends.synchronous" not in finding.message
    ]


OLD = "django_lightweight_queue"

ROWS: list[tuple[dict[str, Any], str, str, str]] = [
    (
        {"BACKEND": "lab.backends.Hole"},
        "E111",
        "cannot import backend 'lab.backends.Hole'",
        "module lab.backends has Whole",
    ),
    (
        {"BACKEND": f"{OLD}.backends.base.BaseBackned"},
        "E111",
        f"cannot import backend '{OLD}.backends.base.BaseBackned'",
        f"module {OLD}.backends.base has BaseBackend",
    ),
    (
        {"BACKEND": "lab.backend.Whole"},
        "E111",
        "there is no module 'lab.backend'",
        "did you mean lab.backends?",
    ),
    (
        {"BACKEND": f"{OLD}.backend.base.BaseBackend"},
        "E111",
        f"there is no module '{OLD}.backend'",
        f"did you mean {OLD}.backends?",
    ),
    ({"BACKEND": "lba.backends.Whole"}, "E111", "there is no module 'lba'", "did you mean lab?"),
    (
        {"BACKEND": "lab.broken.Whole"},
        "E111",
        "its module raises RuntimeError: no luck (lab/broken.py:2)",
        "",
    ),
    (
        {"BACKEND": "lab.needs.Whole"},
        "E111",
        "its module raises ModuleNotFoundError: No module named 'nothing_there' (lab/needs.py:1)",
        "",
    ),
    ({"BACKEND": "os.getcwd"}, "E112", "must be a subclass of BaseBackend", "BaseBackend"),
    (
        {"BACKEND": "lab.backends.Half"},
        "E112",
        "is not complete: dequeue and length are missing",
        "define dequeue and length in Half",
    ),
    (
        {"BACKEND": "lab.backends.Needy"},
        "E112",
        "its constructor needs host and port",
        "give them defaults",
    ),
    (
        {"BACKEND_OVERRIDES": {"q": "lab.backends.Hole"}},
        "E111",
        "cannot import backend 'lab.backends.Hole'",
        "module lab.backends has Whole",
    ),
    (
        {"MIDDLEWARE": ["lab.middleware.Godo"]},
        "E113",
        "cannot import middleware 'lab.middleware.Godo'",
        "module lab.middleware has Good",
    ),
    ({"MIDDLEWARE": ["lab.middleware.number"]}, "E113", "is a int: must be a class", ""),
    (
        {"MIDDLEWARE": ["lab.middleware.Empty"]},
        "W114",
        "has none of process_job, process_result, process_exception",
        "",
    ),
    (
        {"MIDDLEWARE": ["lab.middleware.Misspelt"]},
        "W114",
        "is never called",
        "did you mean process_job by proces_job?",
    ),
    (
        {"MIDDLEWARE": [f"{OLD}.middleware.transaction.TransactionMiddleware"]},
        "I115",
        "does nothing",
        "remove it from LIGHTWEIGHT_QUEUE_MIDDLEWARE",
    ),
    (
        {"LOGGER_FACTORY": "lab.loggers.nothing"},
        "E116",
        "must return a logger, and returns None",
        "",
    ),
    ({"LOGGER_FACTORY": "lab.loggers.raising"}, "E116", "raises ValueError: dlq", ""),
    ({"LOGGER_FACTORY": "lab.loggers.text"}, "E116", "must be a function", ""),
    (
        {"LOGGER_FACTORY": "lab.loggers.nothin"},
        "E116",
        "cannot import logger factory",
        "module lab.loggers has nothing",
    ),
    ({"LOGGER_FACTORY": lambda name: None}, "E116", "must return a logger", ""),
    (
        {"IGNORE_APPS": ["orders"]},
        "W119",
        "IGNORE_APPS names 'orders', which is not an installed app",
        "did you mean 'tests.project.orders'?",
    ),
    (
        {"IGNORE_APPS": ["tests.project.order"]},
        "W119",
        "names 'tests.project.order'",
        "did you mean 'tests.project.orders'?",
    ),
    (
        {"IGNORE_APPS": ["tests.project.orders.apps.OrdersConfig"]},
        "W119",
        "is not an installed app",
        "did you mean 'tests.project.orders'?",
    ),
]


@pytest.mark.parametrize(("values", "code", "message", "help"), ROWS)
def test_what_a_setting_names(values: dict[str, Any], code: str, message: str, help: str) -> None:
    (finding,) = found(**values)
    assert finding.id == f"dlq.{code}"
    assert message in finding.message
    assert help in (finding.help or "")
    assert finding.source is not None


@pytest.mark.parametrize(
    "values",
    [
        {"BACKEND": "lab.backends.Whole"},
        {"BACKEND": "lab.backends.WithSettings"},
        {"BACKEND": "tests.project.overriding.OwnDequeue"},
        {"BACKEND": "tests.project.overriding.make_backend"},
        {"MIDDLEWARE": ["lab.middleware.Good", f"{OLD}.middleware.logging.LoggingMiddleware"]},
        {"LOGGER_FACTORY": "logging.getLogger"},
        {"IGNORE_APPS": ["tests.project.orders", "django.contrib.auth"]},
        # Told by the validation, and not once more.
        {"BACKEND": None, "MIDDLEWARE": "a.b.C", "LOGGER_FACTORY": 3, "BACKEND_OVERRIDES": ["q"]},
    ],
)
def test_what_is_fine(values: dict[str, Any]) -> None:
    assert found(**values) == []


def test_a_private_method_that_is_not_called_is_reported() -> None:
    """As 4.11's Redis backends had one for their keys."""
    (finding,) = found(BACKEND="tests.project.overriding.OwnKey")
    assert finding.id == "dlq.W533"
    assert "_key()" in finding.message


def test_other_mistakes_hide_none() -> None:
    told = found(
        WORKERS={"q": -1},
        BACKEND="lab.backends.Hole",
        MIDDLEWARE=["lab.middleware.Godo", "lab.middleware.Empty"],
    )
    assert [finding.id for finding in told] == ["dlq.E111", "dlq.E113", "dlq.W114"]


def test_missing_prometheus_client_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in an environment that has dlq without its extra: None in sys.modules is how Python
    itself says that a module isn't there."""
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    (finding,) = found(ENABLE_PROMETHEUS=True)
    assert finding.id == "dlq.W120"
    assert finding.help == "pip install 'dlq[metrics]'"
    assert found(ENABLE_PROMETHEUS=False) == []
