"""The result for people: Markdown tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.benchmarks.results import TARGETS, Result, Spread
from tests.benchmarks.systems import BY_NAME

COLUMNS: tuple[tuple[str, str], ...] = (
    ("drain/1", "drain, 1 worker, jobs/s"),
    ("drain/2", "2 workers"),
    ("drain busy/2", "of all processors, %"),
    ("drain/life", "within one worker's life"),
    ("enqueue", "enqueue one at a time, jobs/s"),
    ("bulk", "bulk"),
    ("start p50", "start on an idle system, p50 ms"),
    ("start p99", "p99 ms"),
    ("pss per worker", "PSS added per worker, MiB"),
    ("ready wall/16", "16 workers ready, wall s"),
    ("ready cpu/16", "CPU s"),
    ("idle commands/1", "idle with 1 worker, commands/s"),
    ("idle commands per worker", "added per worker"),
    ("idle cpu/1", "idle with 1 worker, % of a core"),
    ("idle cpu per worker", "added per worker"),
    ("deduplicate", "deduplicate, s"),
    ("deduplicate slowest", "slowest command, ms"),
)


def render(result: Result) -> str:
    return "\n".join((*_head(result), *_peers(result), *_targets(result), *_failures(result)))


def _head(result: Result) -> Iterator[str]:
    machine = ", ".join(f"{name} {value}" for name, value in result.machine.items())
    yield f"Measured {result.date} on: {machine}."
    rounds = 1 + max((sample.round for sample in result.samples), default=-1)
    others = result.options.get("other_rounds", rounds)
    fewer = f" ({others} of systems that no target speaks of)" if others < rounds else ""
    yield (
        f"{rounds} interleaved {'round' if rounds == 1 else 'rounds'}{fewer}; median (least to"
        " most); ratios are of values of the same round."
    )
    yield ""
    yield f"Repeat: `{result.options['command']}`"
    for command in result.again:
        yield f"Then, in part, again: `{command}`"
    yield ""


def _peers(result: Result) -> Iterator[str]:
    names = [name for name in BY_NAME if any(sample.system == name for sample in result.samples)]
    columns = [
        (metric, title)
        for metric, title in COLUMNS
        if any(sample.metric == metric for sample in result.samples)
    ]
    yield from _table(
        ("system", *(title for _, title in columns)),
        [
            (_titled(result, name), *(_cell(result.spread(metric, name)) for metric, _ in columns))
            for name in names
        ],
    )
    yield ""


def _targets(result: Result) -> Iterator[str]:
    rows = []
    for target in TARGETS:
        outcome = target.outcome(result)
        if outcome is None:
            continue
        met = "yes" if target.is_met(outcome, target.limit) else "**no**"
        if met != "yes" and target.is_full(result):
            met = "the processors are full"
        aim = ""
        if target.aim is not None:
            reached = "yes" if target.is_met(outcome, target.aim) else "no"
            aim = f"{target.aim:g}: {reached}"
        unit = "" if target.against is None else " x"
        rows.append(
            (target.what, f"{_cell(outcome)}{unit}", f"{target.sense} {target.limit:g}", met, aim)
        )
    if rows:
        yield from _table(("dlq", "measured", "must", "met", "aim"), rows)
        yield ""


def _failures(result: Result) -> Iterator[str]:
    for failure in result.failures:
        yield (
            f"Failed: {failure['measure']} of {failure['system']} in round"
            f" {failure['round'] + 1}: {failure['error'].splitlines()[0]}"
        )


def _titled(result: Result, name: str) -> str:
    versions = result.versions.get(name, {})
    known = ", ".join(f"{distribution} {version}" for distribution, version in versions.items())
    return f"{BY_NAME[name].title} ({known})" if known else BY_NAME[name].title


def _cell(spread: Spread | None) -> str:
    if spread is None:
        return "-"
    return f"{_number(spread.median)} ({_number(spread.least)} to {_number(spread.most)})"


def _number(value: float) -> str:
    """Three digits that matter, and no exponent."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
