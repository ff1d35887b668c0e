"""What differs between two plans of a pool: workers, settings, cron rows.

Both sides are plan documents (`dlq plan --format json`, or what a runner publishes), because one
of them may be a file from last week. A document of one machine is enough: the split of the whole
pool is computed from its queues.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from dlq.errors import UsageError
from dlq.planning.placement import Worker
from dlq.planning.split import Pool, QueuePlan, split
from dlq.types import QueueName


class SettingValue(NamedTuple):
    """`value` as JSON has it (a secret is masked); `source` is where it was written."""

    value: object
    source: str


class CronEntry(NamedTuple):
    """A cron row: what it runs, and when and where."""

    command: str
    args: str
    """The arguments as written on a command line, to tell rows of one command apart."""
    schedule: str
    timezone: str | None
    queue: str
    source: str

    @property
    def run(self) -> tuple[str, str]:
        return self.command, self.args

    @property
    def timing(self) -> tuple[str, str | None, str]:
        return self.schedule, self.timezone, self.queue


class PoolPlan(NamedTuple):
    """A plan of a whole pool, as far as plans are compared.

    `machines` says for each worker which machine runs it; the machine of an exact configuration
    counts as 1. `schedulers` are the machines that schedule the cron rows.
    """

    pool_id: str
    of: int
    exact: bool
    only_queue: str | None
    placement: str
    machines: Mapping[Worker, int]
    schedulers: frozenset[int]
    settings: Mapping[str, SettingValue]
    cron: tuple[CronEntry, ...]

    @property
    def all_machines(self) -> frozenset[int]:
        return frozenset(range(1, self.of + 1))


class Move(NamedTuple):
    worker: Worker
    old: int
    new: int


class SettingChange(NamedTuple):
    name: str
    old: SettingValue | None
    new: SettingValue | None


class CronChange(NamedTuple):
    """A row that runs the same as before, at other times, in another time zone or queue."""

    old: CronEntry
    new: CronEntry


class Difference(NamedTuple):
    old: PoolPlan
    new: PoolPlan
    added: tuple[tuple[Worker, int], ...]
    removed: tuple[tuple[Worker, int], ...]
    moved: tuple[Move, ...]
    settings: tuple[SettingChange, ...]
    cron_added: tuple[CronEntry, ...]
    cron_removed: tuple[CronEntry, ...]
    cron_changed: tuple[CronChange, ...]

    @property
    def is_empty(self) -> bool:
        """Whether a runner started by one plan could as well have been started by the other."""
        return self.old.pool_id == self.new.pool_id and not any(self[2:])


def compare(old: PoolPlan, new: PoolPlan) -> Difference:
    before, after = old.machines, new.machines
    cron_added, cron_removed, cron_changed = _compare_cron(old.cron, new.cron)
    return Difference(
        old,
        new,
        added=tuple((worker, after[worker]) for worker in sorted(after.keys() - before.keys())),
        removed=tuple((worker, before[worker]) for worker in sorted(before.keys() - after.keys())),
        moved=tuple(
            Move(worker, before[worker], after[worker])
            for worker in sorted(before.keys() & after.keys())
            if before[worker] != after[worker]
        ),
        settings=tuple(_compare_settings(old.settings, new.settings)),
        cron_added=cron_added,
        cron_removed=cron_removed,
        cron_changed=cron_changed,
    )


def _compare_settings(
    old: Mapping[str, SettingValue], new: Mapping[str, SettingValue]
) -> Iterable[SettingChange]:
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name), new.get(name)
        if before is None or after is None:
            # Another release of dlq may have a setting more. Its default changes nothing.
            if (known := before or after) is not None and known.source != "default":
                yield SettingChange(name, before, after)
        elif before.value != after.value:
            yield SettingChange(name, before, after)


def _compare_cron(
    old: Iterable[CronEntry], new: Iterable[CronEntry]
) -> tuple[tuple[CronEntry, ...], tuple[CronEntry, ...], tuple[CronChange, ...]]:
    """Pair the rows that run the same: first those with equal timing, then the others in order."""
    before, after = _by_run(old), _by_run(new)
    added: list[CronEntry] = []
    removed: list[CronEntry] = []
    changed: list[CronChange] = []
    for run in sorted(before.keys() | after.keys()):
        left, right = before[run], after[run]
        for entry in list(left):
            same = next((other for other in right if other.timing == entry.timing), None)
            if same is not None:
                left.remove(entry)
                right.remove(same)
        pairs = min(len(left), len(right))
        changed += map(CronChange, left, right)
        removed += left[pairs:]
        added += right[pairs:]
    return tuple(added), tuple(removed), tuple(changed)


def _by_run(entries: Iterable[CronEntry]) -> defaultdict[tuple[str, str], list[CronEntry]]:
    found: defaultdict[tuple[str, str], list[CronEntry]] = defaultdict(list)
    for entry in entries:
        found[entry.run].append(entry)
    return found


# Documents


def read_plan(content: Any, where: str) -> PoolPlan:
    """Read a plan document. `where` names it in messages. Raises UsageError."""
    try:
        if content["format_version"] != "1":
            raise UsageError(
                f"{where} has format_version {content['format_version']!r}:"
                " this dlq reads '1'; write it again with this release"
            )
        if content["pool"]["id"] is None:
            raise UsageError(f"{where} is the plan of settings that are not valid: nothing runs it")
        return _read(content)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(
            f"{where} is no plan ({type(error).__name__}: {error}): write one with"
            " dlq plan --of N --format json"
        ) from None


def _read(content: Any) -> PoolPlan:
    pool, cron = content["pool"], content["cron"]
    of = 1 if pool["exact"] else int(pool["of"])
    machine, placement = pool["machine"], pool.get("placement", "dealt")
    only_queue = pool["only_queue"]
    schedulers = cron.get("machines", [1] if cron["runs_here"] else [])
    return PoolPlan(
        pool_id=pool["id"],
        of=of,
        exact=bool(pool["exact"]),
        only_queue=only_queue,
        placement=placement,
        machines=_machines(content["queues"], of, only_queue, placement)
        if machine is not None
        else {
            (worker["queue"], int(worker["number"])): int(worker["machine"] or 1)
            for worker in content["workers"]
        },
        schedulers=frozenset(schedulers if cron["entries"] else ()),
        settings={
            name: SettingValue(setting["value"], setting["source"])
            for name, setting in content["settings"].items()
        },
        cron=tuple(
            CronEntry(
                entry["command"],
                _arguments(entry),
                entry["schedule"],
                entry["timezone"],
                entry["queue"],
                entry["source"],
            )
            for entry in cron["entries"]
        ),
    )


def _machines(
    queues: Mapping[str, Any], of: int, only_queue: str | None, placement: Any
) -> dict[Worker, int]:
    """Compute which machine runs each worker of a pool, from the plan of one machine."""
    plans = [
        QueuePlan(QueueName(name), int(queue["workers"]), queue["backend"], None, "setting")
        for name, queue in sorted(queues.items())
    ]
    whole = Pool(None, of, only_queue=None if only_queue is None else QueueName(only_queue))
    dealt = split(plans, whole, key_prefix="", placement=placement)
    return {(worker.queue, int(worker.number)): worker.machine for worker in dealt.workers}


def _arguments(entry: Mapping[str, Any]) -> str:
    options = [f"{name}={value!r}" for name, value in sorted(entry.get("kwargs", {}).items())]
    return " ".join([*map(repr, entry.get("args", ())), *options])
