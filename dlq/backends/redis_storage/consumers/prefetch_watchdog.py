"""A thread that looks, every few milliseconds, while there is something to look after.

It is started when it is first needed, and sleeps without waking while there is nothing: an idle
worker has no second thread, and one that takes single jobs neither.
"""

from __future__ import annotations

import os
import signal
import threading
import weakref
from collections.abc import Callable

PERIOD = 0.025
"""Seconds between two looks."""

LINGER = 40
"""Looks at nothing before it goes to sleep: waking it costs a busy worker more than forty looks do,
because each of its batches would."""

JOIN_LIMIT = 1.0
"""Seconds that its end is waited for: it may be talking to a server."""


class PrefetchWatchdog:
    """`look` says in how many seconds to look again, None where there is nothing now. Whoever has
    made something to look at calls `begin` after that; `begin` and `stop` are for one thread.

    When that thread forks, the watch is stopped before and begun again after: a process with a
    single thread is safe to fork, and Python says so when it has more.
    """

    def __init__(self, look: Callable[[], float | None]) -> None:
        self._look = look
        self._is_looking = False
        self._is_stopped = False
        self._news = threading.Event()
        self._end = threading.Event()
        self._thread: threading.Thread | None = None
        self._heeds_forks = False

    def begin(self) -> None:
        if self._is_looking or self._is_stopped:
            return
        self._is_looking = True
        if self._thread is None:
            self._heed_forks()
            self._end = threading.Event()
            self._thread = threading.Thread(
                target=self._run, args=(self._end,), name="dlq watch", daemon=True
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
        self._is_looking = False

    def _heed_forks(self) -> None:
        if self._heeds_forks:
            return
        self._heeds_forks = True
        # The interpreter keeps these for ever, and must not keep us.
        weak = weakref.ref(self)

        def before() -> None:
            if (watch := weak()) is not None:
                watch._end_thread()

        def after() -> None:
            if (watch := weak()) is not None:
                watch.begin()

        os.register_at_fork(before=before, after_in_parent=after)

    def _run(self, end: threading.Event) -> None:
        # Signals are for the thread that runs jobs.
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        while not end.is_set():
            self._news.wait()
            self._news.clear()
            self._look_for_a_while(end)
            self._is_looking = False
            # What came before that line was left to us, so one more look.
            if not end.is_set() and self._look() is not None:
                self._is_looking = True
                self._news.set()

    def _look_for_a_while(self, end: threading.Event) -> None:
        in_vain, pause = 0, PERIOD
        while in_vain < LINGER and not end.wait(pause):
            again = self._look()
            in_vain = 0 if again is not None else in_vain + 1
            pause = max(PERIOD, again or 0.0)
