"""What a ledger says about a run: lost, twice, and how long it took to go on."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.kit.ledger import entries


@dataclass(frozen=True, slots=True)
class Kill:
    """A signal that reached a live worker, at some moment from `at` to `until` (monotonic): whoever
    sends it may have to wait for the processor in between, and the worker start one job more."""

    at: float
    until: float
    pid: int


@dataclass(frozen=True, slots=True)
class Report:
    """`sent`: enqueues that were acknowledged. `ended`: jobs that came to their end at least once.
    `lost`: sent, without an end, and not among the failed. `duplicates`: ends beyond the first.
    `overlaps`: jobs that two processes ran at the same time. `p50` and `p99` are seconds from a
    kill in a job to the next start of that job."""

    seed: int
    sent: int
    ended: int
    failed: int
    lost: int
    duplicates: int
    overlaps: int
    kills: int
    interrupted: int
    seconds: float
    p50: float | None
    p99: float | None

    def line(self) -> str:
        return json.dumps(asdict(self))

    @property
    def is_good(self) -> bool:
        return self.lost == 0 and self.duplicates <= self.kills and self.overlaps == 0


def together(rounds: Sequence[Report]) -> Report:
    """What rounds of one run come to. Each of them has percentiles of its own: the worst ones."""
    counts = ["sent", "ended", "failed", "lost", "duplicates", "overlaps", "kills", "interrupted"]
    sums = {name: sum(getattr(report, name) for report in rounds) for name in counts}
    return Report(
        seed=rounds[0].seed,
        seconds=round(sum(report.seconds for report in rounds), 2),
        p50=max((report.p50 for report in rounds if report.p50 is not None), default=None),
        p99=max((report.p99 for report in rounds if report.p99 is not None), default=None),
        **sums,
    )


def read(
    ledger: Path, *, seed: int, sent: int, failed: int, kills: Sequence[Kill], seconds: float
) -> Report:
    """Reads the ledger as a stream: the long forms write millions of lines. In so long a run the
    kernel gives pids out again, so a kill is that of a run only where it came after its start."""
    ends: Counter[str] = Counter()
    running: dict[str, tuple[float, int]] = {}
    overlaps = 0
    killed: dict[int, list[Kill]] = {}
    for kill in kills:
        killed.setdefault(kill.pid, []).append(kill)
    recoveries: list[float] = []
    for at, pid, event, job in _events(ledger):
        if event == "start":
            if job in running:
                since, before = running[job]
                end = next(
                    (k for k in killed.get(before, ()) if since <= k.until and k.at <= at), None
                )
                if end is None:
                    overlaps += 1
                else:
                    recoveries.append(at - end.at)
            running[job] = at, pid
        elif event == "end":
            ends[job] += 1
            if running.get(job, (0.0, 0))[1] == pid:
                del running[job]
    return Report(
        seed=seed,
        sent=sent,
        ended=len(ends),
        failed=failed,
        lost=sent - len(ends) - failed,
        duplicates=sum(ends.values()) - len(ends),
        overlaps=overlaps,
        kills=len(kills),
        interrupted=len(recoveries),
        seconds=round(seconds, 2),
        p50=_percentile(recoveries, 0.50),
        p99=_percentile(recoveries, 0.99),
    )


def _events(ledger: Path) -> Iterator[tuple[float, int, str, str]]:
    with ledger.open() as lines:
        for entry in entries(lines):
            yield entry.at, entry.pid, entry.event, entry.job


def _percentile(values: Iterable[float], share: float) -> float | None:
    ordered = sorted(values)
    if not ordered:
        return None
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 4)
