"""The long forms, by hand or at night. Prints the seed first, and one line of JSON at the end. (The
rounds of a soak are printed to stderr meanwhile.)"""

from __future__ import annotations

import argparse
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from tests.chaos import scenarios
from tests.chaos.fuzz import fuzz
from tests.chaos.report import Report, together
from tests.kit.valkey import Server

ROUND = 50_000
"""Jobs in each round of a soak."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("scenario", choices=("kills", "restarts", "soak", "fuzz"))
    parser.add_argument("--jobs", type=int, default=1_000_000)
    parser.add_argument("--kills", type=float, default=20.0, help="per second")
    parser.add_argument("--restarts", type=int, default=3)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--minutes", type=float, default=30.0, help="of the soak and the fuzzer")
    parser.add_argument("--seed", type=int, default=None)
    words = parser.parse_args()
    seed = secrets.randbelow(2**31) if words.seed is None else words.seed
    print(f"seed {seed}", flush=True)
    server = Server().start()
    try:
        if words.scenario == "fuzz":
            with tempfile.TemporaryDirectory(prefix="dlq-fuzz-") as name:
                found = fuzz(Path(name), server, minutes=words.minutes, seed=seed)
            print(found.line())
            return int(bool(found.failures))
        rounds = _run(words, server, seed)
    finally:
        server.remove()
    print(together(rounds).line())
    return int(not all(report.is_good for report in rounds))


def _run(words: argparse.Namespace, server: Server, seed: int) -> list[Report]:
    with tempfile.TemporaryDirectory(prefix="dlq-chaos-") as name:
        directory = Path(name)
        if words.scenario == "soak":
            return list(_soak(words, server, directory, seed))
        if words.scenario == "kills":
            return [_kills(words, server, directory, seed, words.jobs)]
        return [
            scenarios.restarts(
                directory,
                server,
                jobs=words.jobs,
                restarts=words.restarts,
                machines=words.workers,
                seed=seed,
            )
        ]


def _kills(
    words: argparse.Namespace, server: Server, directory: Path, seed: int, jobs: int
) -> Report:
    return scenarios.kills(
        directory, server, jobs=jobs, per_second=words.kills, workers=words.workers, seed=seed
    )


def _soak(
    words: argparse.Namespace, server: Server, directory: Path, seed: int
) -> Iterator[Report]:
    """Rounds of kills until the time is over, each from an empty server. The seed of the first is
    that of the run, so that a round can be had again alone."""
    end = time.monotonic() + words.minutes * 60
    for round_ in count():
        own = directory / str(round_)
        own.mkdir()
        with server.client() as client:
            client.flushall()
        report = _kills(words, server, own, seed + round_, ROUND)
        print(report.line(), file=sys.stderr, flush=True)
        yield report
        shutil.rmtree(own)
        if time.monotonic() >= end:
            return


if __name__ == "__main__":
    sys.exit(main())
