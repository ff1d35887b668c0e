"""A thread that checks, every few milliseconds, whether prefetched jobs have waited for too long.

It is started when it is first needed, and sleeps without waking while nothing is prefetched: an
idle worker has no second thread, and one that takes single jobs neither.
"""

from __future__ import annotations

import os
import signal
import threading
import weakref
from collections.abc import Callable

PERIOD = 0.025
"""Seconds between two checks."""

LINGER = 40
"""Checks with nothing to see before it goes to sleep: waking it costs a busy worker more than forty
checks do, because each of its batches would."""

JOIN_LIMIT = 1.0
"""Seconds that its end is waited for: it may be waiting for a server."""


class PrefetchWatchdog:
    """Calls `check` while there is something to check. `check` says in how many seconds to call it
    again, None where there is nothing now. `begin` is called after something was prefetched;
    `begin` and `stop` are for one thread.

    When that thread forks, the watchdog is stopped before and begun again after: a process with a
    single thread is safe to fork, and Python warns when it has more.
    """

    def __init__(self, check: Callable[[], float | None]) -> None:
        self._check = check
        self._is_checking = False
        self._is_stopped = False
        self._news = threading.Event()
        self._end = threading.Event()
        self._thread: threading.Thread | None = None
        self._follows_forks = False

    def begin(self) -> None:
        if self._is_checking or self._is_stopped:
            return
        self._is_checking = True
        if self._thread is None:
            self._follow_forks()
            self._end = threading.Event()
            self._thread = threading.Thread(
                target=self._run, args=(self._end,), name="dlq prefetch watchdog", daemon=True
            )
            self._thread.start()
        self._news.set()

    def stop(self) -> None:
        self._is_stopped = True
        self._end_thread()

    def _end_thread(self) -> None:
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._end.set()
        self._news.set()
        thread.join(JOIN_LIMIT)
        self._is_checking = False

    def _follow_forks(self) -> None:
        if self._follows_forks:
            return
        self._follows_forks = True
        # The interpreter keeps these for ever, and must not keep us.
        weak = weakref.ref(self)

        def before() -> None:
            if (watchdog := weak()) is not None:
                watchdog._end_thread()

        def after() -> None:
            if (watchdog := weak()) is not None:
                watchdog.begin()

        os.register_at_fork(before=before, after_in_parent=after)

    def _run(self, end: threading.Event) -> None:
        # Signals are for the thread that runs jobs.
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        while not end.is_set():
            self._news.wait()
            self._news.clear()
            self._check_for_a_while(end)
            self._is_checking = False
            # What came before that line was left to us, so one more check.
            if not end.is_set() and self._check() is not None:
                self._is_checking = True
                self._news.set()

    def _check_for_a_while(self, end: threading.Event) -> None:
        idle_checks, pause = 0, PERIOD
        while idle_checks < LINGER and not end.wait(pause):
            again = self._check()
            idle_checks = 0 if again is not None else idle_checks + 1
            pause = max(PERIOD, again or 0.0)
