"""A picture of a result: drain and memory by the number of workers. Needs matplotlib."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.benchmarks.results import Result
from tests.benchmarks.systems import DLQ, SYSTEMS

MARKERS = "osv^DPX"
"""One per system, for those who cannot tell the colours apart."""


def draw(result: Result, file: Path) -> None:
    from matplotlib import pyplot

    figure, (drain, memory) = pyplot.subplots(1, 2, figsize=(12, 5.5))
    drain.set_title("jobs drained per second (logarithmic)")
    drain.set_yscale("log")
    _lines(drain, result, "drain")
    drain.yaxis.set_major_formatter("{x:,.0f}")
    drain.yaxis.set_minor_formatter("{x:,.0f}")
    memory.set_title("memory of all processes, idle: PSS in MiB")
    _lines(memory, result, "pss")
    memory.set_ylim(bottom=0)
    # One legend for both, from whichever has more systems in it.
    handles, labels = max(
        (axes.get_legend_handles_labels() for axes in (drain, memory)),
        key=lambda legend: len(legend[0]),
    )
    figure.legend(handles, labels, loc="lower center", ncols=4, frameon=False)
    figure.suptitle(f"dlq and its peers, no-op jobs in a Django project, {result.date}")
    figure.tight_layout(rect=(0, 0.1, 1, 1))
    figure.savefig(file, dpi=120)


def _lines(axes: Any, result: Result, metric: str) -> None:
    ticks: set[int] = set()
    for index, system in enumerate(SYSTEMS):
        points = _points(result, metric, system.name)
        if points:
            counts, medians, below, above = zip(*points, strict=True)
            ticks |= set(counts)
            axes.errorbar(
                counts,
                medians,
                (below, above),
                label=system.title,
                marker=MARKERS[index],
                color="black" if system is DLQ else f"C{index}",
                linewidth=2.5 if system is DLQ else 1.5,
                capsize=3,
            )
    axes.set_xlabel("workers")
    axes.set_xticks(sorted(ticks))
    axes.grid(alpha=0.3)


def _points(result: Result, metric: str, system: str) -> list[tuple[int, float, float, float]]:
    """Workers, median, and how far the least and the most are from it."""
    points = []
    for name in {sample.metric for sample in result.samples}:
        base, _, workers = name.partition("/")
        spread = result.spread(name, system)
        if base == metric and workers.isdigit() and spread is not None:
            points.append(
                (
                    int(workers),
                    spread.median,
                    spread.median - spread.least,
                    spread.most - spread.median,
                )
            )
    return sorted(points)
