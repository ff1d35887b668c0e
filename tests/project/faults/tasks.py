"""Tasks that do to their worker what jobs do in the wild. Each notes in the ledger when it starts
and when it has come to its end."""

from __future__ import annotations

import asyncio
import atexit
import ctypes
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from dlq import task
from tests.kit.ledger import record


@task(queue="faults")
def quick(job: int) -> None:
    record("start", job)
    record("end", job)


@task(queue="faults")
def slow(job: int, seconds: float) -> None:
    record("start", job)
    time.sleep(seconds)
    record("end", job)


@task(queue="faults", sigkill_on_stop=True)
def killable(job: int, seconds: float) -> None:
    record("start", job)
    time.sleep(seconds)
    record("end", job)


@task(queue="faults")
def until_file(job: int, path: str) -> None:
    """Runs until the test creates the file."""
    record("start", job)
    while not Path(path).exists():
        time.sleep(0.01)
    record("end", job)


@task(queue="faults")
def raises(job: int) -> None:
    record("start", job)
    raise ValueError("this job raises")


@task(queue="retried", retries=2, retry_backoff=0.2)
def raises_and_retries(job: int) -> None:
    record("start", job)
    raise ValueError("this job raises each time")


@task(queue="retried", retries=2, retry_backoff=2)
def raises_and_retries_slowly(job: int) -> None:
    record("start", job)
    raise ValueError("this job raises each time")


@task(queue="faults")
def needs_file(job: int, path: str) -> None:
    """Raises until the test creates the file."""
    record("start", job)
    Path(path).read_text()
    record("end", job)


@task(queue="faults")
def asks_database(job: int) -> None:
    """Notes which connection it has, by the process that serves it."""
    from django.db import connection

    record("start", job)
    with connection.cursor() as cursor:
        cursor.execute("select pg_backend_pid()")
        record("connection", cursor.fetchone()[0])
    record("end", job)


@task(queue="faults")
def exits(job: int) -> None:
    record("start", job)
    sys.exit(3)


@task(queue="faults")
def lingers(job: int, seconds: float) -> None:
    """Its worker's end takes so long."""
    record("start", job)

    @atexit.register
    def linger() -> None:
        time.sleep(seconds)
        record("end", job)


@task(queue="faults")
def dies_at_exit(job: int) -> None:
    record("start", job)
    atexit.register(os.kill, os.getpid(), signal.SIGKILL)


@task(queue="faults")
def interrupts(job: int) -> None:
    record("start", job)
    raise KeyboardInterrupt


@task(queue="faults")
def exits_hard(job: int) -> None:
    record("start", job)
    os._exit(3)


@task(queue="faults")
def eats_memory(job: int, size: int) -> None:
    record("start", job)
    held = b"x" * size
    record("end", len(held))


@task(queue="faults")
def segfaults(job: int) -> None:
    record("start", job)
    ctypes.string_at(0)


@task(queue="faults")
def kills_itself(job: int) -> None:
    """As the kernel does it when memory runs out."""
    record("start", job)
    os.kill(os.getpid(), signal.SIGKILL)


@task(queue="faults", timeout=1)
def over_time(job: int) -> None:
    record("start", job)
    time.sleep(60)
    record("end", job)


@task(queue="faults", timeout=1)
def over_time_with_a_child(job: int) -> None:
    """Starts another program, which stays in the job's process group."""
    child = subprocess.Popen(["sleep", "60"])
    record("child", child.pid)
    record("start", job)
    child.wait()
    record("end", job)


@task(queue="faults", timeout=1)
def stuck_in_c(job: int) -> None:
    """Holds the GIL in C code, where no Python signal handler runs."""
    record("start", job)
    ctypes.PyDLL(None).sleep(60)
    record("end", job)


@task(queue="faults")
def forks(job: int) -> None:
    record("start", job)
    pid = os.fork()
    record("child" if pid == 0 else "parent", job)
    if pid:
        os.waitpid(pid, 0)
        record("end", job)


@task(queue="faults")
def leaves_a_mess(job: int) -> None:
    record("start", job)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
    signal.alarm(1)
    os.chdir("/")
    os.umask(0o777)
    for fd in (0, 1, 2):
        os.close(fd)
    record("end", job)


@task(queue="faults")
def takes_over_stdout(job: int) -> None:
    """Closes fd 1 and connects somewhere, so that a socket gets its number."""
    record("start", job)
    os.close(1)
    channel, _ = socket.socketpair()
    record("socket", channel.detach())
    record("end", job)


@task(queue="faults")
def shows_surroundings(job: int) -> None:
    """What a job finds of its process."""
    umask = os.umask(0)
    os.umask(umask)
    record("cwd", os.getcwd())
    record("umask", oct(umask))
    record("blocked", sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())))
    record("term", signal.getsignal(signal.SIGTERM) is signal.SIG_IGN)
    record("alarm", signal.getitimer(signal.ITIMER_REAL)[0])
    record("streams", [_is_open(fd) for fd in (0, 1, 2)])
    print("printed by a job")
    record("end", job)


@task(queue="faults")
async def awaits(job: int) -> None:
    record("start", job)
    await asyncio.sleep(0.01)
    record("end", job)


def _is_open(fd: int) -> bool:
    try:
        fcntl.fcntl(fd, fcntl.F_GETFD)
    except OSError:
        return False
    return True


@task(queue="faults")
def leaves_orphans(job: int) -> None:
    """Starts processes whose parent ends before they do."""
    record("start", job)
    for _ in range(3):
        if os.fork() == 0:
            if os.fork() == 0:
                time.sleep(0.1)
                record("orphan", job)
            os._exit(0)
    for _ in range(3):
        os.wait()
    record("end", job)


@task(queue="faults", unique=600)
def unique(job: int, seconds: float = 0) -> None:
    record("start", job)
    time.sleep(seconds)
    record("end", job)
