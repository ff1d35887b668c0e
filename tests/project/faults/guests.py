"""Tasks that use their process as a program of their own would: they start processes and threads,
close what they did not open, and set what is the process's. No module of tasks: a job's import."""

from __future__ import annotations

import decimal
import locale
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from django.utils import timezone, translation

from dlq import task
from tests.kit.ledger import record

FORK = multiprocessing.get_context("fork")


def double(number: int) -> int:
    return 2 * number


def sleep_long() -> None:
    record("child", os.getpid())
    time.sleep(600)


@task(queue="faults", timeout=20)
def terminates_a_process(job: int, sigkill_on_stop: bool = False) -> None:
    record("start", job)
    child = FORK.Process(target=sleep_long)
    child.start()
    time.sleep(0.05)
    child.terminate()
    child.join()
    record("exitcode", child.exitcode)
    record("end", job)


@task(queue="faults", timeout=20)
def maps_in_a_pool(job: int) -> None:
    record("start", job)
    for _ in range(5):
        with FORK.Pool(2) as pool:
            assert pool.map(double, range(10)) == list(range(0, 20, 2))
    record("end", job)


@task(queue="faults", timeout=20)
def maps_in_an_executor(job: int) -> None:
    record("start", job)
    with ProcessPoolExecutor(2, mp_context=FORK) as pool:
        assert list(pool.map(double, range(10))) == list(range(0, 20, 2))
    record("end", job)


@task(queue="faults", timeout=20, sigkill_on_stop=True)
def terminates_a_process_and_crashes(job: int) -> None:
    record("start", job)
    child = FORK.Process(target=sleep_long)
    child.start()
    time.sleep(0.05)
    child.terminate()
    child.join()
    os.kill(os.getpid(), signal.SIGKILL)


@task(queue="faults")
def shows_hangup_of_a_program(job: int) -> None:
    import subprocess

    code = "import signal; print(signal.getsignal(signal.SIGHUP) is signal.SIG_IGN)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    record("ignored", shown.stdout.strip())
    record("end", job)


@task(queue="faults")
def works_on_in_a_thread(job: int, seconds: float) -> None:
    """Its thread, and one of an executor, go on after the job."""
    record("start", job)

    def work() -> None:
        time.sleep(seconds)
        record("thread", job)

    threading.Thread(target=work).start()
    ThreadPoolExecutor(1).submit(work)
    record("end", job)


@task(queue="faults")
def sets_what_is_the_processs(job: int) -> None:
    record("start", job)
    translation.activate("de")
    timezone.activate("Asia/Tokyo")
    decimal.getcontext().prec = 3
    decimal.getcontext().traps[decimal.Inexact] = True
    locale.setlocale(locale.LC_NUMERIC, "C.UTF-8")
    socket.setdefaulttimeout(0.001)
    record("end", job)


@task(queue="faults")
def shows_what_is_the_processs(job: int) -> None:
    record("language", translation.get_language())
    record("zone", timezone.get_current_timezone_name())
    record("precision", decimal.getcontext().prec)
    record("traps", decimal.getcontext().traps[decimal.Inexact])
    record("locale", locale.setlocale(locale.LC_NUMERIC, None))
    record("timeout", socket.getdefaulttimeout())
    record("end", job)


@task(queue="faults")
def closes_its_streams(job: int, way: str) -> None:
    record("start", job)
    for stream in (sys.stdout, sys.stderr):
        if way == "close":
            stream.close()
        else:
            stream.detach()  # type: ignore[union-attr]  # both are text streams here
    record("end", job)


@task(queue="faults")
def closes_all_descriptors(job: int, path: str) -> None:
    """Then it opens files, which get the numbers of the worker's connections."""
    record("start", job)
    os.closerange(3, 1024)
    for _ in range(30):
        os.open(path, os.O_RDWR | os.O_CREAT)
    record("end", job)


class HostileMeta(type):
    @property
    def __name__(cls) -> str:  # type: ignore[override]  # hostile on purpose
        raise SystemExit(5)


class Hostile(Exception, metaclass=HostileMeta):
    @property  # type: ignore[misc]  # hostile on purpose
    def __class__(self) -> Any:
        raise SystemExit(6)

    def __str__(self) -> str:
        raise SystemExit(7)

    __repr__ = __str__


@task(queue="faults")
def raises_hostile(job: int) -> None:
    record("start", job)
    raise Hostile


@task(queue="faults")
def says(job: int, text: str) -> None:
    print(text)
    print(text, file=sys.stderr)
    record("end", job)


@task(queue="faults")
def leaves_a_finalizer_that_hangs(job: int) -> Any:
    record("start", job)

    class Hanging:
        def __del__(self) -> None:
            time.sleep(600)

    record("end", job)
    return Hanging()


@task(queue="faults")
def deletes_the_directory(job: int, path: str) -> None:
    Path(path).rmdir()
    record("end", job)
