"""The long forms, by hand or at night. Prints the seed first, and one line of JSON at the end."""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos import scenarios
from tests.chaos.report import Report
from tests.kit.valkey import Server


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("scenario", choices=("kills", "restarts", "soak"))
    parser.add_argument("--jobs", type=int, default=1_000_000)
    parser.add_argument("--kills", type=float, default=20.0, help="per second")
    parser.add_argument("--restarts", type=int, default=3)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--minutes", type=float, default=30.0, help="of the soak")
    parser.add_argument("--seed", type=int, default=None)
    words = parser.parse_args()
    seed = secrets.randbelow(2**31) if words.seed is None else words.seed
    print(f"seed {seed}", flush=True)
    server = Server().start()
    try:
        report = _run(words, server, seed)
    finally:
        server.remove()
    print(report.line())
    return int(report.lost != 0 or report.duplicates > report.kills or report.overlaps != 0)


def _run(words: argparse.Namespace, server: Server, seed: int) -> Report:
    with tempfile.TemporaryDirectory(prefix="dlq-chaos-") as name:
        directory = Path(name)
        if words.scenario == "kills":
            return scenarios.kills(
                directory,
                server,
                jobs=words.jobs,
                per_second=words.kills,
                workers=words.workers,
                seed=seed,
            )
        if words.scenario == "restarts":
            return scenarios.restarts(
                directory,
                server,
                jobs=words.jobs,
                restarts=words.restarts,
                machines=words.workers,
                seed=seed,
            )
        return _soak(words, server, directory, seed)


def _soak(words: argparse.Namespace, server: Server, directory: Path, seed: int) -> Report:
    """Rounds of kills until the time is over, a line each; the answer is the worst of them."""
    end = time.monotonic() + words.minutes * 60
    worst: Report | None = None
    round_ = 0
    while time.monotonic() < end:
        own = directory / str(round_)
        own.mkdir()
        with server.client() as client:
            client.flushall()
        report = scenarios.kills(
            own,
            server,
            jobs=50_000,
            per_second=words.kills,
            workers=words.workers,
            seed=seed + round_,
        )
        print(report.line(), flush=True)
        if worst is None or (report.lost, report.duplicates - report.kills) > (
            worst.lost,
            worst.duplicates - worst.kills,
        ):
            worst = report
        round_ += 1
    assert worst is not None
    return worst


if __name__ == "__main__":
    sys.exit(main())
