"""A picture of a result: drain and memory by the number of workers. Needs matplotlib."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.results import Result
from tests.benchmarks.systems import SYSTEMS


def draw(result: Result, file: Path) -> None:
    from matplotlib import pyplot

    figure, (drain, memory) = pyplot.subplots(1, 2, figsize=(12, 5))
    for axes, metric, title in (
        (drain, "drain", "drained, jobs per second"),
        (memory, "pss", "memory of all processes, PSS in MiB"),
    ):
        for system in SYSTEMS:
            points = _points(result, metric, system.name)
            if points:
                counts, medians, below, above = zip(*points, strict=True)
                style = {"linewidth": 2.5, "color": "black"} if system.name == "dlq" else {}
                axes.errorbar(
                    counts,
                    medians,
                    (below, above),
                    marker="o",
                    capsize=3,
                    label=system.name,
                    **style,
                )
        axes.set_title(title)
        axes.set_xlabel("workers")
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
        if axes.has_data():
            axes.legend()
    drain.set_yscale("symlog", linthresh=100)
    figure.suptitle(f"dlq and its peers, {result.date}")
    figure.tight_layout()
    figure.savefig(file, dpi=120)


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
