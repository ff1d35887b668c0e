"""Fixtures of the fault tests: the process tests' host, and one whose server may be harmed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cli.conftest import project
from tests.kit.runner import ROOT, Runner
from tests.kit.valkey import Server
from tests.kit.warm import Warm
from tests.process.conftest import Host, failed_jobs, host

__all__ = ["failed_jobs", "host", "project"]

can_be_elsewhere = shutil.which("unshare") is not None and os.geteuid() == 0
needs_elsewhere = pytest.mark.skipif(
    not can_be_elsewhere, reason="needs unshare(1) and root for another host name"
)


def elsewhere(name: str) -> tuple[str, ...]:
    """As a runner's prefix: it sees another host name, so that no runner takes its processes for
    those of the own host, and only its heartbeat tells that it lives."""
    return ("unshare", "--uts", "sh", "-c", f'hostname {name} && exec "$@"', "sh")


def dlq(warm: Warm, runner: Runner, *words: str) -> str:
    """What a verb prints, with the configuration of a runner."""
    code, out, err = warm.run(["-m", "dlq", *words], cwd=ROOT, env=runner.environment)
    assert code in (0, 1), err
    assert "Traceback" not in err, err
    return out + err


@pytest.fixture
def own_server() -> Iterator[Server]:
    """For the test alone, and what it has acknowledged is on disk."""
    server = Server(appendonly="yes", appendfsync="always").start()
    yield server
    server.remove()


@pytest.fixture
def own_host(tmp_path: Path, own_server: Server) -> Iterator[Host]:
    with ExitStack() as stack:
        yield Host(tmp_path, own_server, stack)
