"""What dlq raises, and the exit codes of its commands. Imports nothing of dlq.

An exception's docstring is its meaning; its text names the thing, the place, the value, the remedy.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """One table for every command."""

    DONE = 0
    FINDINGS = 1
    """plan, check, status: the question was answered, and the answer is that something is wrong."""
    NOT_DONE = 2
    """Usage, no settings module, unreadable file, server unreachable."""
    DIFFERENT = 3
    """Valid, but not the pool that --expect-pool names."""
    REFUSED = 78
    """run and worker refused the configuration: EX_CONFIG of sysexits.h, so that systemd's
    RestartPreventExitStatus can tell it from a crash."""
    INTERRUPTED = 130
    TERMINATED = 143


class DlqError(Exception):
    """The root of what dlq raises for its users to read. Never shown with a traceback.

    `exit_code` is that of a command which it ends.
    """

    exit_code = ExitCode.NOT_DONE


class UsageError(DlqError):
    """A command was called with words that it cannot follow, or that don't fit what it finds."""


class DifferentPool(DlqError):
    """The configuration is valid, but --expect-pool names another pool."""

    exit_code = ExitCode.DIFFERENT


class Interrupted(DlqError):
    """Ctrl-C ended a command. The text says what was done until then."""

    exit_code = ExitCode.INTERRUPTED


class UnusableArgument(DlqError, TypeError):
    """An argument of a call cannot be stored as JSON and come back as it was."""


class UnusableTask(DlqError, TypeError):
    """A function cannot be a task: a call of it in a worker would do nothing."""


class UnfindableTask(UnusableTask):
    """A function was declared as a task, but a worker could not find it again by its path."""


class WorkerDied(DlqError):
    """A worker process died while it ran the job. The error of a result whose task ended so."""


class TimedOut(DlqError):
    """The job ran for longer than its timeout. The error of a result whose task ended so."""


class UnsupportedByBackend(DlqError):
    """A call asks for a delay or a unique job, which the backend of its queue does not offer."""

    def __init__(self, queue: str, backend: type, is_later: bool) -> None:
        super().__init__(
            f"queue {queue!r}: its backend {backend.__module__}.{backend.__qualname__} keeps no"
            f" {'delayed' if is_later else 'unique'} jobs:"
            " use dlq.backends.reliable_redis.ReliableRedisBackend"
        )


class UnknownTask(DlqError):
    """A job names a path that no task of this project answers to."""


class UndecodableJob(DlqError):
    """The stored bytes are not a job. `raw` holds them, unchanged."""

    def __init__(self, reason: str, raw: bytes) -> None:
        super().__init__(reason)
        self.reason = reason
        self.raw = raw


class BackendUnavailable(DlqError):
    """The server behind a backend cannot be used now; asking again later may help.

    Raised to workers: they back off and try again.
    """


class NoSuchDatabase(BackendUnavailable):
    """The server answers, and has fewer databases than the settings take for granted. `message` is
    without the remedy."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(f"{message}: {remedy}")
        self.message = message


class EnqueueError(BackendUnavailable):
    """A job could not be handed to the server.

    `may_be_stored` is True where the connection broke after the job was sent: it may be on the
    queue, so sending it again may make a second copy. False: it is certainly not stored.
    """

    def __init__(self, message: str, *, may_be_stored: bool) -> None:
        super().__init__(message)
        self.may_be_stored = may_be_stored


class NotOwner(DlqError):
    """Another live process holds this worker number. `owner` describes it for people."""

    def __init__(self, message: str, *, owner: str) -> None:
        super().__init__(message)
        self.owner = owner
