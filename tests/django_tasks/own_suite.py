"""Django's own suite of its tasks framework, run against dlq's backend on a real server.

    python -m tests.django_tasks.own_suite [DIRECTORY OF DJANGO'S SOURCE]

Needs Django 6 and the source distribution of the installed version, which is downloaded from the
package index where no directory is given. CI runs it where `DJANGO_SOURCE` names the directory.
Exits with 1 where another test fails than those below, or one of those succeeds.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest
from pathlib import Path

import django

ROOT = Path(__file__).parents[2]

EXPECTED = {
    "test_throws_keyboard_interrupt": "a worker records it like any other end, and lives on",
    "test_refresh_result": "changes the dummy backend's own copy of a result; ours is on a server",
    "test_refresh_result_async": "the same",
    "test_cannot_get_result": "the immediate backend keeps no results, and ours does",
    "test_cannot_refresh_result": "the same",
    "test_cannot_pass_run_after": "the immediate backend cannot put a task off, and ours can",
}
"""Names of tests that fail, with the reasons."""


def source_of_django(directory: Path) -> Path:
    """Download and unpack the source of the installed version."""
    version = django.get_version()
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"),
            *("--no-binary", ":all:", f"django=={version}", "--dest", str(directory)),
        ],
        check=True,
        timeout=300,
    )
    (archive,) = directory.glob("*.tar.gz")
    with tarfile.open(archive) as files:
        files.extractall(directory, filter="data")
    return directory / archive.name.removesuffix(".tar.gz")


def prepare(source: Path, directory: Path) -> None:
    """Copy the suite, with the shim in the places of Django's backends."""
    from tests.django_tasks.shim import suite_files

    target = directory / "tasks"
    shutil.copytree(source / "tests" / "tasks", target)
    for file in target.glob("*.py"):
        file.write_text("\n".join(suite_files(file.read_text())) + "\n")
    sys.path.insert(0, str(directory))


def configure(port: int) -> None:
    from django.conf import settings

    settings.configure(
        DATABASES={
            name: {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
            for name in ("default", "other")
        },
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "dlq"],
        USE_TZ=False,
        SECRET_KEY="for tests only",
        ROOT_URLCONF="tests.project.urls",
        LIGHTWEIGHT_QUEUE_BACKEND="dlq.backends.reliable_redis.ReliableRedisBackend",
        LIGHTWEIGHT_QUEUE_REDIS_PORT=port,
        LIGHTWEIGHT_QUEUE_ATOMIC_JOBS=False,
    )
    django.setup()


def run(source: Path) -> tuple[int, dict[str, str]]:
    """Return how many tests ran, and the names and messages of those that failed."""
    from django.test.utils import setup_test_environment

    from tests.kit.valkey import Server

    server = Server().start()
    with tempfile.TemporaryDirectory() as temporary, contextlib.ExitStack() as stack:
        stack.callback(server.stop)
        configure(server.port)
        prepare(source, Path(temporary))
        setup_test_environment()
        suite = unittest.TestLoader().loadTestsFromNames(
            [
                "tasks.test_dummy_backend",
                "tasks.test_immediate_backend",
                "tasks.test_tasks",
                "tasks.test_custom_backend",
            ]
        )
        outcome = unittest.TextTestRunner(stream=sys.stderr, verbosity=1).run(suite)
    failed = {
        str(getattr(getattr(test, "test_case", test), "_testMethodName", test)): text
        for test, text in [*outcome.failures, *outcome.errors]
    }
    return outcome.testsRun, failed


def main() -> int:
    if django.VERSION < (6, 0):
        print("Django 5.2 has no tasks framework, and the backport's suite is not distributed")
        return 0
    with tempfile.TemporaryDirectory() as temporary:
        given = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("DJANGO_SOURCE")
        source = Path(given) if given else source_of_django(Path(temporary))
        count, failed = run(source)
    unexpected = sorted(failed.keys() - EXPECTED.keys())
    fixed = sorted(EXPECTED.keys() - failed.keys())
    print(f"{count} tests of Django {django.get_version()}, {len(failed)} differ as expected:")
    for name in sorted(failed):
        print(f"  {name}: {EXPECTED.get(name, 'UNEXPECTED')}")
    for name in fixed:
        print(f"  {name}: was expected to differ, and does not")
    return 1 if unexpected or fixed else 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
