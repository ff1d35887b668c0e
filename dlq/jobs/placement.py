"""Where and when a job is to be stored: now or later, and under which lock.

Values only. What a call decides, every backend receives in this form.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Placement(NamedTuple):
    """`delay` is in seconds from the moment at which the server stores the job, by its clock; `at`
    is Unix time. At most one of them is given. `unique` is how many seconds a lock may last.
    `front`: before the jobs that wait, where the job is not put off."""

    delay: float | None = None
    at: float | None = None
    unique: float | None = None
    front: bool = False

    @property
    def is_later(self) -> bool:
        return self.delay is not None or self.at is not None


AT_ONCE = Placement()


def lock_name(path: str, args: Sequence[Any], kwargs: Mapping[str, Any], key: str | None) -> str:
    """Return the name of the lock of a unique job: equal for equal jobs of a task, or for an equal
    `key` where the call gave one."""
    content = [path, key] if key is not None else [path, args, kwargs]
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
