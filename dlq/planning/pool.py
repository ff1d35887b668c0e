"""The part of a pool that a command's options name."""

from __future__ import annotations

from collections.abc import Iterable

from dlq.errors import UsageError
from dlq.planning.split import Pool
from dlq.types import QueueName


def make_pool(
    machine: int | None,
    of: int | None,
    *,
    exact: bool = False,
    only_queue: str | None = None,
    override_files: Iterable[str] = (),
    whole: bool = False,
) -> Pool:
    """The pool that a command's options name. `whole`: `--of` alone means all machines, for verbs
    that show them side by side. Raises UsageError."""
    if exact:
        if not tuple(override_files):
            raise UsageError(
                "--exact-configuration needs the file that has the configuration:"
                " --exact-configuration --config FILE"
            )
        if machine is not None or of is not None or only_queue is not None:
            raise UsageError(
                "--exact-configuration has no pool: leave out --machine, --of and --only-queue"
            )
        return Pool(exact=True)
    if of is not None and of < 1:
        raise UsageError(f"--of is {of}: a pool has at least 1 machine")
    queue = QueueName(only_queue) if only_queue is not None else None
    if machine is None:
        if of is not None and of > 1 and not whole:
            raise UsageError(
                f"--of {of} without --machine: which one is this?"
                f" For instance --machine 1 --of {of}"
            )
        return Pool(None if whole and of is not None else 1, of or 1, only_queue=queue)
    count = 1 if of is None else of
    if not 1 <= machine <= count:
        raise UsageError(
            f"--machine is {machine}, and must be {'1' if count == 1 else f'1 to {count}'}"
            + ("" if of is not None else f": for a pool, add --of {max(machine, 2)}")
        )
    return Pool(machine, count, only_queue=queue)
