"""Run the benchmarks: `python -m tests.benchmarks`.

Everything takes about 45 minutes: five rounds of the systems that a target speaks of, two of the
others. One row in a minute, for instance:

    python -m tests.benchmarks --systems dlq,huey --measures starts --rounds 1
    python -m tests.benchmarks --systems dlq,bare-loop --measures drain --drain-workers 1
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import signal
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks.bench import Bench, Sizes
from tests.benchmarks.environments import compile_sources
from tests.benchmarks.measures import MEASURES, Measure
from tests.benchmarks.report import render
from tests.benchmarks.results import IN_TARGETS, Result, Sample
from tests.benchmarks.systems import BY_NAME, Bare, System

SMALL = Sizes(
    seconds=0.5, enqueue=500, bulk=2_000, starts=30, workers=(1, 4), idle=3, duplicates=2_000,
    commands=1,
)  # fmt: skip
"""To see that everything works; the figures mean little."""


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    if options.plot_of:
        return _plot(options.plot_of)
    sizes = _sizes(options)
    systems = [BY_NAME[name] for name in options.systems]
    measures = [measure for measure in MEASURES if measure.name in options.measures]
    options.output.mkdir(parents=True, exist_ok=True)
    command = shlex.join(["python", "-m", "tests.benchmarks", *arguments])
    if options.again:
        result = _read(options.output / "benchmarks.json")
        result.again.append(command)
    else:
        result = Result(
            date=datetime.now(UTC).strftime("%Y-%m-%d"),
            machine=_machine(),
            options={
                "command": command,
                "rounds": options.rounds,
                "other_rounds": options.other_rounds,
                **asdict(sizes),
            },
        )
    compile_sources()
    bench = Bench(options.cache, sizes)
    try:
        result.versions.update(_versions(bench, systems))
        for measure in measures:
            for number in range(options.rounds):
                for system in filter(measure.applies, systems):
                    if number < _rounds(options, measure, system):
                        _take(bench, measure.name, number, system, result)
                        _write(result, options.output)
    except KeyboardInterrupt:
        print(f"stopped; what was measured so far is in {options.output}", file=sys.stderr)
        return 130
    finally:
        bench.close()
    print(render(result))
    if options.plot:
        _plot(options.output / "benchmarks.json")
    return 1 if result.failures else 0


def _rounds(options: argparse.Namespace, measure: Measure, system: System | Bare) -> int:
    if measure.once:
        return 1
    rounds: int = options.rounds if system.name in IN_TARGETS else options.other_rounds
    return rounds


def _take(bench: Bench, name: str, number: int, system: System | Bare, result: Result) -> None:
    """One system's values of one round. A failure is noted, and the rest goes on: an hour's work
    must not be lost to one system's bad moment."""
    measure = next(measure for measure in MEASURES if measure.name == name)
    try:
        values = measure.take(bench, system)
    except Exception as error:
        failure = {
            "measure": name,
            "system": system.name,
            "round": number,
            "error": f"{type(error).__name__}: {error}",
        }
        result.failures.append(failure)
        print(f"{name} {number + 1} {system.name}: FAILED: {error}", file=sys.stderr)
        return
    if number == 0:
        # In place of what was measured before, where this is done again.
        result.forget(system.name, values)
    result.samples += [
        Sample(number, system.name, metric, value) for metric, value in values.items()
    ]
    shown = "  ".join(f"{metric} {value:.4g}" for metric, value in values.items())
    print(f"{name} {number + 1} {system.name}: {shown}", file=sys.stderr)


def _write(result: Result, directory: Path) -> None:
    (directory / "benchmarks.json").write_text(json.dumps(result.to_json(), indent=1) + "\n")
    (directory / "benchmarks.md").write_text(render(result) + "\n")


def _read(file: Path) -> Result:
    return Result.from_json(json.loads(file.read_text()))


def _plot(file: Path) -> int:
    from tests.benchmarks.plot import draw

    draw(_read(file), file.with_suffix(".png"))
    print(f"drawn: {file.with_suffix('.png')}", file=sys.stderr)
    return 0


def _versions(bench: Bench, systems: list[System | Bare]) -> dict[str, dict[str, str]]:
    """Preparing the environments first, so that nothing is installed between two measurements."""
    versions: dict[str, dict[str, str]] = {}
    for system in systems:
        environment = bench.environment(system)
        names = system.distributions if isinstance(system, System) else ("redis",)
        versions[system.name] = environment.versions(names)
    return versions


def _machine() -> dict[str, str]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cores": str(os.cpu_count()),
        "memory": f"{memory:.0f} GiB",
        "processor": _processor(),
        "Linux": platform.release(),
        "Python": platform.python_version(),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _sizes(options: argparse.Namespace) -> Sizes:
    sizes = SMALL if options.small else Sizes()
    given = {name: getattr(options, name) for name in asdict(sizes)}
    return replace(sizes, **{name: value for name, value in given.items() if value is not None})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = [measure.name for measure in MEASURES]
    parser.add_argument("--systems", type=_chosen(list(BY_NAME)), default=list(BY_NAME))
    parser.add_argument("--measures", type=_chosen(names), default=names)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--other-rounds",
        type=int,
        default=2,
        help="of systems that no target speaks of, at most --rounds (%(default)s)",
    )
    parser.add_argument("--small", action="store_true", help="see that it works, in minutes")
    parser.add_argument("--seconds", type=float, help="about how long a drain takes")
    parser.add_argument("--enqueue", type=int, help="jobs enqueued one at a time")
    parser.add_argument("--bulk", type=int, help="jobs enqueued in bulk")
    parser.add_argument("--starts", type=int, help="jobs sent to an idle system")
    parser.add_argument("--drain-workers", type=_counts, help="worker counts of drains, as 1,2")
    parser.add_argument("--workers", type=_counts, help="worker counts of footprints, as 1,16")
    parser.add_argument("--idle", type=float, help="seconds of looking at idle workers")
    parser.add_argument("--duplicates", type=int, help="jobs to deduplicate")
    parser.add_argument("--commands", type=int, help="runs of a command per round")
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path(tempfile.gettempdir()) / "dlq-benchmarks",
        help="where the systems' environments are kept (%(default)s)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("benchmark-results"),
        help="where benchmarks.json, .md and .png are written (%(default)s)",
    )
    parser.add_argument(
        "--again",
        action="store_true",
        help="measure --measures of --systems anew, and keep the rest of what --output has",
    )
    parser.add_argument("--plot", action="store_true", help="draw it too; needs matplotlib")
    parser.add_argument("--plot-of", type=Path, metavar="JSON", help="only draw an earlier result")
    return parser


def _chosen(known: list[str]) -> Callable[[str], list[str]]:
    def choose(text: str) -> list[str]:
        names = text.split(",")
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(known)}")
        return [name for name in known if name in names]

    return choose


def _counts(text: str) -> tuple[int, ...]:
    return tuple(sorted(int(part) for part in text.split(",")))


if __name__ == "__main__":
    # As Ctrl-C does, so that workers and the server are stopped on the way out.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main(sys.argv[1:]))
