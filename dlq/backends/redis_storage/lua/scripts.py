"""The scripts by name. How to add one is in the docstring of the package."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files

_INCLUDE = re.compile(r"^--@include (.+)\n", re.MULTILINE)


@dataclass(frozen=True)
class Script:
    """A script by its file. The file is read when the script is first used."""

    name: str

    @cached_property
    def text(self) -> str:
        return _INCLUDE.sub(
            lambda found: "".join(_read(f"shared/{name}") for name in found[1].split()),
            _read(self.name),
        )

    @cached_property
    def sha(self) -> str:
        """The server's name for it."""
        return hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


def _read(name: str) -> str:
    return files(__package__).joinpath(f"{name}.lua").read_text(encoding="utf-8")


TAKE = Script("worker/take")
ARRIVED = Script("worker/arrived")
ACKNOWLEDGE = Script("worker/acknowledge")
FINISH = Script("worker/finish")
REJOIN = Script("worker/rejoin")
FAIL = Script("worker/fail")
RETRY_LATER = Script("worker/retry_later")
GIVE_BACK = Script("worker/give_back")
COUNT_CRASH = Script("worker/count_crash")
TAKE_ONCE = Script("worker/take_once")
ARRIVED_ONCE = Script("worker/arrived_once")
GIVE_BACK_ONCE = Script("worker/give_back_once")
FAIL_ONCE = Script("worker/fail_once")
UNLOCK = Script("worker/unlock")
RESULT_STARTED = Script("worker/result_started")
RESULT_ENDED = Script("worker/result_ended")

CLAIM = Script("fleet/claim")
RELEASE_NUMBER = Script("fleet/release_number")
RENEW_HEARTBEAT = Script("fleet/renew_heartbeat")
SET_EXPIRING = Script("fleet/set_expiring")
RECLAIM = Script("fleet/reclaim")
LENGTHS = Script("fleet/lengths")
QUEUE_STATES = Script("fleet/queue_states")
FAILURES_DROPPED = Script("fleet/failures_dropped")
PROMOTE = Script("fleet/promote")

STORE = Script("queue/store")
STORE_WITH_RESULT = Script("queue/store_with_result")
ENQUEUE_ONCE = Script("queue/enqueue_once")
DISCARD_DELAYED = Script("queue/discard_delayed")
RETRY_FAILED = Script("queue/retry_failed")
DISCARD_FAILED = Script("queue/discard_failed")
SWAP_DEDUPLICATED = Script("queue/swap_deduplicated")


def read_scripts() -> None:
    """Read every script now: in the supervisor, so that its workers find them in the memory that
    they share with it. A worker that read its own would write to a megabyte more."""
    for script in tuple(globals().values()):
        if isinstance(script, Script):
            script.sha  # noqa: B018 (reads and keeps the text)
