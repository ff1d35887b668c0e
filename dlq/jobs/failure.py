"""Why a job is a failed job: a value that execution makes and storage keeps."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

FailureKind: TypeAlias = Literal[
    "raised", "undecodable", "unknown", "timeout", "killed", "exit", "crashed"
]


class Failure(NamedTuple):
    """Why a job is a failed job. `reason` is one line for people; `ran` is in seconds, None where
    it is not known; `attempts` counts the runs that were started."""

    kind: FailureKind
    reason: str
    traceback: str = ""
    ran: float | None = None
    attempts: int = 1
    worker: str = ""
