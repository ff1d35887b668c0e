"""Pause, resume, clear, deduplicate: what is done to queues on their servers, by name.

A name that is not known is refused: pausing `email` while `emails` runs on would be a mistake that
shows late.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple, TypeGuard, TypeVar

from dlq import runtime
from dlq.backends.base import (
    NULL_PROGRESS_LOGGER,
    BackendWithClear,
    BackendWithDeduplicate,
    BackendWithPause,
    BackendWithPauseResume,
    BackendWithRunners,
    BaseBackend,
    ProgressLogger,
)
from dlq.backends.state import NO_NOTE, PauseNote
from dlq.cron.files.configuration import implied_queues
from dlq.errors import UsageError
from dlq.planning.implied_queues import implied_by_tasks
from dlq.primitives.duration import LONGEST, parse_duration
from dlq.project.load import Project, require_settings
from dlq.types import QueueName

if TYPE_CHECKING:
    from dlq.config.settings import Settings

if TYPE_CHECKING:
    from dlq.config.settings import Settings

B = TypeVar("B", bound=BaseBackend)


class Deduplicated(NamedTuple):
    queue: QueueName
    before: int
    after: int


def known_queues(project: Project) -> list[QueueName]:
    """Every queue that the configuration, a task or a cron row names, sorted."""
    settings = require_settings(project)
    names = {
        *(QueueName(name) for name in _named_in_workers(project, settings)),
        *(QueueName(name) for name in settings.backend_overrides),
        *implied_by_tasks(project.declarations),
        *implied_queues(project.cron.rows),
    }
    return sorted(names)


def _named_in_workers(project: Project, settings: Settings) -> Iterable[str]:
    """Also where a count is wrong, so that its queue can be paused."""
    named = project.resolution.values["WORKERS"].value if project.resolution else None
    if not isinstance(named, Mapping):
        return settings.workers
    return {*settings.workers, *(name for name in named if isinstance(name, str))}


def select_queues(
    project: Project, names: Iterable[str], warn: Callable[[str], None] | None = None
) -> list[QueueName]:
    """The queues of these names, once each. One that no configuration names any more is let through
    if its server has something of it. Raises UsageError for all that are unknown, at once.

    `warn`: an unknown queue is reported to it and let through, as in 4.11, unless its name is close
    to that of another. Calls may name any queue.
    """
    known = known_queues(project)
    wanted = [QueueName(name) for name in dict.fromkeys(names)]
    unknown = [name for name in wanted if name not in known and not _is_stored(name)]
    if warn is not None:
        for name in unknown:
            if not get_close_matches(name, known, 1):
                warn(no_such_queue(name, known))
        unknown = [name for name in unknown if get_close_matches(name, known, 1)]
    if unknown:
        raise UsageError("; ".join(no_such_queue(name, known) for name in unknown))
    return wanted


def no_such_queue(name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name, known, 1)
    if close:
        return f"no queue is called {name!r}: did you mean {close[0]!r}?"
    return f"no queue is called {name!r}: there are {', '.join(known)}"


def _is_stored(name: QueueName) -> bool:
    backend = runtime.current().backend(name)
    return isinstance(backend, BackendWithRunners) and name in backend.stored_queues()


def pause_until(duration: str | None, until: str | None, now: datetime) -> datetime:
    """The end of a pause, from `--for` or `--until`. Raises UsageError."""
    if (duration is None) == (until is None):
        raise UsageError(
            "say how long: --for 1h30m, or --until 2026-01-31T08:00:00+0000 (one of the two)"
        )
    if duration is not None:
        return now + _length(duration)
    end = _moment(until or "")
    if end <= now:
        raise UsageError(f"--until {until} is in the past")
    if (end - now).total_seconds() > LONGEST:
        raise UsageError(f"--until {until}: a pause may last ten years at most")
    return end


def _length(text: str) -> timedelta:
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise UsageError(f"--for {error}") from None
    if not seconds:
        raise UsageError(f"--for {text!r}: must be more than 0")
    return timedelta(seconds=seconds)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(
            f"--until {text!r} is not a time: say it as in 2026-01-31T08:00:00+0000"
        ) from None
    if moment.tzinfo is None:
        raise UsageError(f"--until {text!r} has no time zone: add one, {text}+0000 or {text}Z")
    return moment.astimezone(UTC)


def pause(queues: Iterable[QueueName], until: datetime, note: PauseNote = NO_NOTE) -> None:
    """No job of the queues starts after this has returned. Raises BackendUnavailable."""
    for queue, backend in _backends(queues, _can_pause, "pausing"):
        backend.note_pause(queue, until, note)
        backend.pause(queue, until)


def resume(queues: Iterable[QueueName]) -> None:
    for queue, backend in _backends(queues, _can_resume, "resuming"):
        backend.resume(queue)


def clear(queues: Iterable[QueueName]) -> dict[QueueName, int | None]:
    """Drop all waiting jobs; how many they were, where the backend knows it."""
    return {
        queue: backend.clear(queue) for queue, backend in _backends(queues, _can_clear, "clearing")
    }


def deduplicate(
    queues: Iterable[QueueName], progress: ProgressLogger = NULL_PROGRESS_LOGGER
) -> list[Deduplicated]:
    """Keep the oldest of equal jobs."""
    return [
        Deduplicated(queue, *backend.deduplicate(queue, progress_logger=progress))
        for queue, backend in _backends(queues, _can_deduplicate, "deduplication")
    ]


def waiting(queues: Iterable[QueueName]) -> dict[QueueName, int]:
    """How many jobs wait in each queue."""
    return {queue: runtime.current().backend(queue).length(queue) for queue in queues}


def count_duplicates(
    queues: Iterable[QueueName], progress: ProgressLogger = NULL_PROGRESS_LOGGER
) -> list[Deduplicated]:
    """What `deduplicate` would do. Raises UsageError where a backend can't tell without acting."""
    found = []
    for queue, backend in _backends(queues, _can_deduplicate, "deduplication"):
        try:
            counts = backend.count_duplicates(queue, progress_logger=progress)
        except NotImplementedError:
            raise UsageError(
                f"queue {queue!r}: its backend cannot count duplicates without removing them:"
                " leave out --dry-run"
            ) from None
        found.append(Deduplicated(queue, *counts))
    return found


def require_clearing(queues: Iterable[QueueName]) -> None:
    """Raises UsageError, where a backend can't clear, before the question."""
    _backends(queues, _can_clear, "clearing")


def _backends(
    queues: Iterable[QueueName], able: Callable[[BaseBackend], TypeGuard[B]], what: str
) -> list[tuple[QueueName, B]]:
    """Each queue with its backend; nothing is done to any of them if one of them can't."""
    found: list[tuple[QueueName, B]] = []
    for queue in queues:
        backend = runtime.current().backend(queue)
        if not able(backend):
            raise UsageError(
                f"queue {queue!r}: its backend"
                f" {type(backend).__module__}.{type(backend).__name__} doesn't support {what}"
            )
        found.append((queue, backend))
    return found


def _can_pause(backend: BaseBackend) -> TypeGuard[BackendWithPause]:
    return isinstance(backend, BackendWithPause)


def _can_resume(backend: BaseBackend) -> TypeGuard[BackendWithPauseResume]:
    return isinstance(backend, BackendWithPauseResume)


def _can_clear(backend: BaseBackend) -> TypeGuard[BackendWithClear]:
    return isinstance(backend, BackendWithClear)


def _can_deduplicate(backend: BaseBackend) -> TypeGuard[BackendWithDeduplicate]:
    return isinstance(backend, BackendWithDeduplicate)
