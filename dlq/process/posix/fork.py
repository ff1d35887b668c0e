"""What becomes of a process between `fork` and its work, and how it ends.

Every child of the supervisor comes through here. It gets a process group of its own (so that the
terminal's Ctrl-C and a hard timeout reach the right processes), none of the supervisor's handlers,
descriptors or connections, and a signal from the kernel when the supervisor dies."""

from __future__ import annotations

import atexit
import ctypes
import logging
import os
import signal
import sys
import threading
import traceback
import weakref
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache

from dlq.process.posix.signals import (
    ALL_SIGNALS,
    CHANGED_SIGNALS,
    original_disposition,
    set_mask,
)

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
"""Of prctl(2); Linux only."""

STOP_SIGNAL = signal.SIGUSR2
"""Asks a child to finish what it has in hand and go. Also what it gets when its supervisor dies."""


def fork(
    run: Callable[[], int],
    *,
    stop_signal: int | None,
    close: Iterable[int] = (),
    keeps_exit_handlers: bool = False,
) -> int:
    """Start a child that calls `run` and exits with what it returns; its pid.

    `keeps_exit_handlers`: the exit handlers that were registered before the fork run at the end of
    the child as well. Libraries register such handlers when they are imported, to send what they
    have collected in this process.

    Signals are blocked across the fork: one that reached the child before it has dropped the
    supervisor's handlers would be written into the supervisor's own pipe. They are let in again as
    soon as the child's are in place: `run` installs what it needs first thing, and until then
    `stop_signal` ends it, which is right for a process that has done nothing yet."""
    supervisor = os.getpid()
    for stream in (sys.stdout, sys.stderr):
        # Or the child would write what is buffered once more. Its reader may have gone.
        with suppress(OSError, ValueError):
            stream.flush()
    before = set_mask(signal.SIG_BLOCK, ALL_SIGNALS)
    try:
        pid = os.fork()
        if pid:
            _make_process_group(pid)
            return pid
    finally:
        if os.getpid() == supervisor:
            set_mask(signal.SIG_SETMASK, before)
    code = 1
    try:
        _detach_from_supervisor(close, keeps_exit_handlers)
        set_mask(signal.SIG_SETMASK, before)
        exit_with_supervisor(supervisor, stop_signal)
        code = run()
    except SystemExit as exiting:
        code = exiting.code if isinstance(exiting.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        leave(code)
    raise AssertionError("unreachable")


def leave(code: int) -> None:
    """End this process as Python ends one: threads that are no daemons are waited for, then exit
    handlers run. Its supervisor bounds the time for both."""
    try:
        # As multiprocessing does at the end of its children. It also ends the threads of executors.
        threading._shutdown()  # type: ignore[attr-defined]  # private; no public function waits so
        atexit._run_exitfuncs()
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        with suppress(BaseException):
            traceback.print_exc()
    finally:
        os._exit(code)


def exit_with_supervisor(supervisor: int, stop_signal: int | None) -> None:
    """Have the kernel send `stop_signal` when the supervisor dies. (It sends it when the thread
    that forked us ends; the supervisor has only one.) Elsewhere than on Linux a worker notices
    between two takes."""
    if stop_signal is None or not prctl(PR_SET_PDEATHSIG, stop_signal):
        return
    if os.getppid() != supervisor:
        # It died before we asked.
        os.kill(os.getpid(), stop_signal)


def adopt_orphans() -> None:
    """Have orphaned descendants become our children, as they are where we are PID 1, so that they
    are reaped when they end."""
    prctl(PR_SET_CHILD_SUBREAPER, 1)


def prctl(option: int, value: int) -> bool:
    if not sys.platform.startswith("linux"):
        return False
    return bool(_libc().prctl(option, value, 0, 0, 0) == 0)


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def other_threads() -> list[str]:
    """The names of the threads beside the main one. A fork copies their locks and not them."""
    return [
        thread.name for thread in threading.enumerate() if thread is not threading.main_thread()
    ]


def is_alive(pid: int) -> bool:
    """Whether a process is there and has not ended. A zombie has: in a container it may stay for
    ever."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # pid (name) state …; the name may hold anything.
            return file.read().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
    except (OSError, IndexError):
        return not sys.platform.startswith("linux")


def kill_group(pid: int, number: int = signal.SIGKILL) -> None:
    """Signal a child and whatever it started, where they are still there."""
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, number)
        except (ProcessLookupError, PermissionError):
            continue


def _make_process_group(pid: int) -> None:
    """Called on both sides of the fork: whichever comes first, the group is there after it."""
    try:
        os.setpgid(pid, pid)
    except (PermissionError, ProcessLookupError):
        # It has ended, or has started another program: then it did this itself.
        return


def _detach_from_supervisor(close: Iterable[int], keeps_exit_handlers: bool) -> None:
    _make_process_group(os.getpid())
    signal.set_wakeup_fd(-1)
    for number in CHANGED_SIGNALS:
        signal.signal(number, original_disposition(number))
    if not keeps_exit_handlers:
        # Private, as multiprocessing's use of it after its own forks is.
        atexit._clear()
    # What these would clean up, a temporary directory for instance, belongs to the supervisor.
    weakref.finalize._registry.clear()  # type: ignore[attr-defined]  # private: no public list
    for fd in close:
        try:
            os.close(fd)
        except OSError:
            continue
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.close(null)
