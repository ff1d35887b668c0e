"""How a runner starts: pidfile, background, touch and health files, systemd, as PID 1, and HUP."""

from __future__ import annotations

import fcntl
import os
import pty
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dlq.process.metrics import REQUEST_LIMIT
from tests.kit.ports import free_port, free_ports
from tests.kit.runner import ROOT, Runner, is_alive
from tests.kit.valkey import Server
from tests.kit.waiting import wait_until
from tests.process.conftest import QUEUE, RELIABLE, Host, findings


def start_refused(host: Host, *options: str) -> tuple[int, str]:
    runner = host.start(*options)
    return runner.wait(15), runner.output


def test_a_pidfile_sends_it_into_the_background(host: Host) -> None:
    pidfile = host.directory / "dlq.pid"
    runner = host.start("--pidfile", str(pidfile))
    assert runner.wait(15) == 0
    pid = int(wait_until(lambda: pidfile.exists() and pidfile.read_text().strip()))
    assert os.getsid(pid) != os.getsid(0)
    host.push("quick", 1)
    wait_until(lambda: host.ledger.events("end", "1"))

    code, output = start_refused(host, "--pidfile", str(pidfile))
    assert (code, f"pid {pid}" in output) == (2, True)
    assert int(pidfile.read_text()) == pid

    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not is_alive(pid), 5)
    assert not pidfile.exists()


def test_a_pidfile_that_cannot_be_written_is_reported_and_not_left(tmp_path: Path) -> None:
    """A limit on files' size refuses the write after the opening, as a full disk does."""
    script = (
        "import resource, sys\n"
        "from dlq.process.posix.pidfile import PidFile\n"
        "file = PidFile(sys.argv[1])\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        "try: file.write()\n"
        "except Exception as error: sys.stderr.write(f'{type(error).__name__}: {error}')\n"
    )
    pidfile = tmp_path / "dlq.pid"
    command = [sys.executable, "-c", script, str(pidfile)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, cwd=ROOT)
    assert f"UsageError: cannot write --pidfile {pidfile}: File too large" in done.stderr
    assert not pidfile.exists()


def test_a_pidfile_must_be_a_file(host: Host) -> None:
    code, output = start_refused(host, "--pidfile", "/dev/null")
    assert (code, "/dev/null is no regular file" in output) == (2, True)
    assert Path("/dev/null").exists()


def test_a_pidfile_that_is_a_link_is_refused(host: Host) -> None:
    """Or whoever may write its directory could have any file of ours truncated."""
    target, link = host.directory / "precious", host.directory / "dlq.pid"
    target.write_text("precious")
    link.symlink_to(target)
    code, output = start_refused(host, "--pidfile", str(link))
    assert (code, "dlq.pid is a symbolic link" in output) == (2, True)
    assert target.read_text() == "precious"


def test_a_pidfile_is_for_its_owner(host: Host) -> None:
    pidfile = host.directory / "dlq.pid"
    assert host.start("--pidfile", str(pidfile)).wait(15) == 0
    assert pidfile.stat().st_mode & 0o777 == 0o600
    pid = int(wait_until(lambda: pidfile.read_text().strip()))
    pidfile.unlink()
    assert host.start("--pidfile", str(pidfile)).wait(15) == 0
    second = int(wait_until(lambda: pidfile.read_text().strip()))
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not is_alive(pid), 5)
    assert int(pidfile.read_text()) == second, "the first one removes only its own file"
    os.kill(second, signal.SIGTERM)
    wait_until(lambda: not is_alive(second), 5)
    assert not pidfile.exists()


def test_a_lock_of_a_removed_pidfile_does_not_count(tmp_path: Path) -> None:
    """Another runner removes the file between the opening and the locking of ours: simulated by a
    path that leads to another file than the one that was opened and locked."""
    from dlq.process.posix.pidfile import PidFile

    path = tmp_path / "dlq.pid"
    first = PidFile(str(path))
    path.unlink()
    second = PidFile(str(path))
    assert os.fstat(second.fd).st_ino == path.stat().st_ino
    first.remove()
    assert path.exists()
    second.remove()
    assert not path.exists()


def test_the_lock_of_the_pidfile_survives_a_reload(host: Host) -> None:
    """At no moment of a reload can another runner get it."""
    pidfile = host.directory / "dlq.pid"
    runner = host.start("--pidfile", str(pidfile))
    assert runner.wait(15) == 0
    pid = int(wait_until(lambda: pidfile.exists() and pidfile.read_text().strip()))
    host.push("quick", 1)
    [first] = wait_until(lambda: host.ledger.events("end", "1"))
    os.kill(pid, signal.SIGHUP)
    gained = 0
    end = time.monotonic() + 30
    while is_alive(first.pid) or not _has_started_again(pid, first.pid):
        gained += _can_lock(pidfile)
        assert time.monotonic() < end
    assert gained == 0
    host.push("quick", 2)
    wait_until(lambda: host.ledger.events("end", "2"), 15)
    assert not _can_lock(pidfile)
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not is_alive(pid), 5)


def _has_started_again(pid: int, first: int) -> bool:
    """Whether the runner has children again, but the first worker."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return bool([child for child in children if int(child) != first])


def _can_lock(path: Path) -> bool:
    with path.open("r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR1, signal.SIGALRM])
def test_a_signal_in_the_first_moments_ends_no_runner(host: Host, number: int) -> None:
    """One every few milliseconds, from the first handler on."""
    pidfile = host.directory / "dlq.pid"
    runner = host.start()
    wait_until(lambda: _heeds_term(runner.pid))
    while "started, pid" not in runner.output:
        runner.signal(number)
        time.sleep(0.01)
        assert runner.process is not None
        assert runner.process.poll() is None, runner.output
    host.push("quick", 1)
    wait_until(lambda: host.ledger.events("end", "1"), 20)
    assert runner.stop() == 0
    assert not pidfile.exists()


def test_hup_while_the_server_is_away_finds_the_new_one(host: Host) -> None:
    config = host.directory / "override.py"
    pidfile = host.directory / "dlq.pid"
    config.write_text(f"LIGHTWEIGHT_QUEUE_REDIS_PORT = {free_port()}\n")
    options = ("--config", str(config), "--pidfile", str(pidfile))
    settings = {"backend": RELIABLE, "workers": {QUEUE: 1}}
    runner = Runner(host.directory, settings, *options)
    with runner:
        assert runner.wait(15) == 0
        pid = int(wait_until(lambda: pidfile.exists() and pidfile.read_text().strip()))
        os.kill(pid, signal.SIGUSR1)
        os.kill(pid, signal.SIGHUP)  # with the old configuration, which is valid
        config.write_text(f"LIGHTWEIGHT_QUEUE_REDIS_PORT = {host.server.port}\n")
        os.kill(pid, signal.SIGHUP)
        host.push("quick", 1)
        wait_until(lambda: host.ledger.events("end", "1"), 30)
        assert int(pidfile.read_text()) == pid
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not is_alive(pid), 5)
    assert not pidfile.exists()


def test_a_stop_while_the_server_is_away_removes_the_pidfile(host: Host) -> None:
    pidfile = host.directory / "dlq.pid"
    assert host.start("--pidfile", str(pidfile), redis_port=free_port()).wait(15) == 0
    pid = int(wait_until(lambda: pidfile.exists() and pidfile.read_text().strip()))
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not is_alive(pid), 2)
    assert not pidfile.exists()


def test_a_hup_that_nohup_ignores_does_nothing(host: Host) -> None:
    runner = host.run(prefix=("nohup",))
    host.push("until_file", 1, str(host.directory / "go"))
    wait_until(lambda: host.ledger.events("start", "1"))
    runner.signal_everybody(signal.SIGHUP)
    host.push("quick", 2)
    (host.directory / "go").touch()
    wait_until(lambda: host.ledger.events("end", "2"))
    assert host.ledger.jobs("start") == ["1", "2"]
    assert "HUP" not in runner.output
    assert len({event.pid for event in host.ledger.events()}) == 1


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_standard_streams(host: Host, closed: str) -> None:
    runner = host.start(prefix=("sh", "-c", f'exec "$@" {closed}', "sh"))
    host.push("quick", 1)
    wait_until(lambda: host.ledger.events("end", "1"), 15)
    assert runner.stop() == 0


def test_it_needs_no_temporary_directory(host: Host) -> None:
    """A worker in a new interpreter and a reload get their files from memory."""
    site = host.directory / "site"
    site.mkdir()
    # Where a process may write to no directory that tempfile knows, this list is empty.
    (site / "sitecustomize.py").write_text(
        "import tempfile\ntempfile._candidate_tempdir_list = list"
    )
    path = os.pathsep.join(map(str, (site, ROOT, ROOT / "dlq" / "_alias")))
    runner = host.run(preload=False, environment={"PYTHONPATH": path})
    host.push("quick", 1)
    wait_until(lambda: host.ledger.events("end", "1"))
    runner.signal(signal.SIGHUP)
    runner.wait_for_line("Reloading", 20)
    host.push("quick", 2)
    wait_until(lambda: host.ledger.events("end", "2"), 20)


def test_one_who_waited_for_a_number_says_at_once_that_it_is_had(host: Host) -> None:
    first = host.run()
    second = host.run()
    second.wait_for_line("faults/1 waits: its number belongs to")
    assert first.stop() == 0
    # The queue is empty, and an idle worker looks up only every DEQUEUE_TIMEOUT (15 s).
    wait_until(lambda: "faults/1 resumed after" in second.output, 5)


def test_a_pidfile_that_a_dead_supervisor_left_is_no_hindrance(host: Host) -> None:
    pidfile = host.directory / "dlq.pid"
    pidfile.write_text(f"{os.getpid()}\n")
    runner = host.start("--pidfile", str(pidfile))
    assert runner.wait(15) == 0
    pid = int(wait_until(lambda: pidfile.read_text() != f"{os.getpid()}\n" and pidfile.read_text()))
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not runner.pids(), 5)

    assert host.start("--pidfile", str(pidfile)).wait(15) == 0
    second = int(wait_until(lambda: pidfile.read_text() != f"{pid}\n" and pidfile.read_text()))
    os.kill(second, signal.SIGTERM)
    wait_until(lambda: not is_alive(second), 5)


def test_files_that_cannot_be_written_are_reported_at_the_start(host: Host) -> None:
    code, output = start_refused(host, "--pidfile", "/nope/x")
    assert code == 2
    assert "/nope/x" in output
    assert "errno 2" in output

    code, output = start_refused(host, "--touchfile", "/nope/x.%s", "--health-file", "/nowhere/y")
    assert code == 2
    assert "/nope/x.faults" in output
    assert "/nowhere/y" in output

    code, output = start_refused(host, "--touchfile", "/tmp/x")
    assert code == 2
    assert "/tmp/x.%s" in output
    assert "Traceback" not in output


def test_a_jobs_end_touches_the_file(host: Host) -> None:
    path = host.directory / f"touched.{QUEUE}"
    host.run("--touchfile", str(host.directory / "touched.%s"))
    host.push("raises", 1)
    wait_until(lambda: host.ledger.events("start", "1") and not host.in_hand())
    assert not path.exists(), "neither the start nor a failure touches it"
    host.push("quick", 2)
    wait_until(path.exists)
    os.utime(path, (0, 0))
    host.push("quick", 3)
    wait_until(lambda: time.time() - path.stat().st_mtime < 10)


def test_a_touch_file_that_cannot_be_written_loses_no_job(host: Host) -> None:
    directory = host.directory / "gone"
    directory.mkdir()
    runner = host.run("--touchfile", str(directory / "%s"))
    shutil.rmtree(directory)
    for job in range(3):
        host.push("quick", job)
    wait_until(lambda: len(host.ledger.events("end")) == 3)
    runner.wait_for_line("cannot touch")
    assert runner.output.count("cannot touch") == 1
    wait_until(lambda: not host.in_hand())
    assert host.ledger.jobs("end") == ["0", "1", "2"]
    assert {event.pid for event in host.ledger.events()} == {runner.worker_pid("faults/1")}


@pytest.mark.parametrize("command", ["dlq", "manage.py"])
def test_a_log_on_a_full_disk_keeps_nobody_from_working(host: Host, command: str) -> None:
    words = '"$@"' if command == "dlq" else '"$1" -m django queue_runner'
    unheard = ("sh", "-c", f"exec {words} > /dev/full 2>&1", "sh")
    with pytest.raises(OSError, match="No space left"):
        Path("/dev/full").write_text("a line")
    runner = host.start(prefix=unheard)
    host.push("raises", 1)
    host.push("quick", 2)
    [ended] = wait_until(lambda: host.ledger.events("end", "2"), 15)
    os.kill(ended.pid, signal.SIGKILL)
    host.push("quick", 3)
    wait_until(lambda: host.ledger.events("end", "3"))
    assert host.client.xlen("dlq:failed:faults") == 1
    assert runner.stop() == 0
    assert runner.output == ""


def test_the_health_file_is_fresh_while_the_loop_turns(host: Host) -> None:
    path = host.directory / "health"
    runner = host.run("--health-file", str(path))

    def probe(*options: str) -> int:
        command = [sys.executable, "-m", "dlq", "health", "--file", str(path), *options]
        return subprocess.run(command, cwd=ROOT, check=False, capture_output=True).returncode

    wait_until(path.exists)
    os.utime(path, (0, 0))
    wait_until(lambda: time.time() - path.stat().st_mtime < 5)
    assert probe() == 0
    os.kill(runner.pid, signal.SIGSTOP)
    try:
        stamp = path.stat().st_mtime
        wait_until(lambda: time.time() - stamp > 1.5)
        assert probe("--max-age", "1") == 1
    finally:
        os.kill(runner.pid, signal.SIGCONT)


@pytest.fixture
def systemd(host: Host) -> Iterator[Systemd]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(host.directory / "notify"))
        channel.settimeout(60)
        yield Systemd(channel, {"NOTIFY_SOCKET": str(host.directory / "notify")})


class Systemd:
    """What the service manager hears. `environment` is what it gives to a unit."""

    def __init__(self, channel: socket.socket, environment: dict[str, str]) -> None:
        self._channel = channel
        self.environment = environment

    def message(self, limit: float | None = None) -> dict[str, str]:
        """The next one. Raises TimeoutError after `limit` seconds."""
        if limit is not None:
            self._channel.settimeout(limit)
        lines = self._channel.recv(4096).decode().splitlines()
        return {name: value for name, _, value in (line.partition("=") for line in lines)}


def test_systemd_is_notified(host: Host, systemd: Systemd) -> None:
    runner = host.start(environment={**systemd.environment, "WATCHDOG_USEC": "1000000"})
    assert systemd.message() == {"READY": "1", "STATUS": "1 worker", "MAINPID": str(runner.pid)}
    began = time.monotonic()
    assert [systemd.message() for _ in range(3)] == [{"WATCHDOG": "1"}] * 3
    assert time.monotonic() - began < 2.5
    runner.signal(signal.SIGTERM)
    while (message := systemd.message()) == {"WATCHDOG": "1"}:
        """Those from before the signal."""
    assert message == {"STOPPING": "1"}
    assert runner.wait() == 0


def test_systemd_hears_of_no_readiness_while_workers_cannot_start(
    host: Host, systemd: Systemd
) -> None:
    """Here their middleware raises in its constructor, until the test creates a file."""
    cure = host.directory / "cure"
    runner = host.start(
        middleware=["tests.project.faults.middleware.NeedsFile"],
        environment={**systemd.environment, "TEST_NEEDED_FILE": str(cure)},
    )
    runner.wait_for_line(r"(?s)faults/1 \| exited with code 1: .*FileNotFoundError.*started again")
    with pytest.raises(TimeoutError):
        systemd.message(1.5)
    found = wait_until(lambda: findings(runner, "dlq.W407"), 15, what="status says why")
    assert found[0]["message"].startswith("1 worker on ")
    assert "FileNotFoundError" in found[0]["message"]
    cure.touch()
    assert systemd.message(30)["READY"] == "1"
    wait_until(lambda: not findings(runner), 10, what="all is well")
    assert runner.stop() == 0


def test_systemd_gets_a_reload(host: Host, systemd: Systemd) -> None:
    """As Type=notify-reload needs it: at once, with a time that is not before the signal, and to
    the end, whether the reload was done or refused."""
    config = host.directory / "override.py"
    config.write_text(CONFIG.format("{'faults': 1}"))
    settings = {"backend": RELIABLE, "redis_port": host.server.port}
    options = ("--config", str(config))
    with Runner(host.directory, settings, *options, environment=systemd.environment) as runner:

        def reload(content: str) -> list[dict[str, str]]:
            config.write_text(CONFIG.format(content))
            asked = time.monotonic_ns() // 1000
            runner.signal(signal.SIGHUP)
            begun = systemd.message()
            assert begun.keys() == {"RELOADING", "MONOTONIC_USEC"}
            assert asked <= int(begun["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000
            return [begun, systemd.message()]

        pid = str(runner.pid)
        assert systemd.message() == {"READY": "1", "STATUS": "1 worker", "MAINPID": pid}
        status = "1 worker; the last reload was refused"
        assert reload("{'faults': -1}")[1] == {"READY": "1", "STATUS": status, "MAINPID": pid}
        assert reload("{'faults': 2}")[1] == {"READY": "1", "STATUS": "2 workers", "MAINPID": pid}
        runner.signal(signal.SIGTERM)
        assert systemd.message() == {"STOPPING": "1"}
        assert runner.wait() == 0


def test_systemd_gets_a_stop_that_cuts_a_reload_short(host: Host, systemd: Systemd) -> None:
    runner = host.run(environment=systemd.environment)
    assert systemd.message()["READY"] == "1"
    host.push("until_file", 1, str(host.directory / "go"))
    wait_until(lambda: host.ledger.events("start", "1"))
    runner.signal(signal.SIGHUP)
    assert systemd.message()["RELOADING"] == "1"
    runner.wait_for_line("Reloading. Waiting for 1 job")
    runner.signal(signal.SIGTERM)
    assert systemd.message() == {"STOPPING": "1"}
    (host.directory / "go").touch()
    assert runner.wait(15) == 0


def test_a_server_that_is_away_at_the_start_is_waited_for(tmp_path: Path, host: Host) -> None:
    late = Server()
    try:
        runner = host.start(redis_port=late.port)
        runner.wait_for_line("waiting for it")
        late.start()
        runner.started()
        assert runner.stop() == 0
        again = host.start(redis_port=free_port())
        again.wait_for_line("waiting for it")
        again.signal(signal.SIGTERM)
        assert again.wait(2) == 0, "and a stop ends the waiting"
    finally:
        late.remove()


can_unshare = shutil.which("unshare") is not None and os.geteuid() == 0


@pytest.mark.skipif(not can_unshare, reason="needs unshare(1) and root for a pid namespace")
@pytest.mark.parametrize("moment", ["early", "started", "busy"])
def test_as_pid_1(host: Host, moment: str) -> None:
    """As in a container: TERM ends it at any moment, and no zombie is left meanwhile."""
    prefix = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
    runner = host.start(prefix=prefix)

    def first() -> int | None:
        children = Path(f"/proc/{runner.pid}/task/{runner.pid}/children").read_text().split()
        return int(children[0]) if children else None

    supervisor = wait_until(first)
    assert supervisor is not None
    if moment == "early":
        wait_until(lambda: _heeds_term(supervisor))
    else:
        runner.started()
    if moment == "busy":
        host.push("leaves_orphans", 1)
        wait_until(lambda: host.ledger.events("end", "1"))
        wait_until(lambda: host.ledger.events("orphan", "1"))
        wait_until(lambda: _zombies(runner) == [], 5, what="orphans are reaped")
    os.kill(supervisor, signal.SIGTERM)
    assert runner.wait(5) == 0
    assert runner.pids() == []


def _heeds_term(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    [caught] = [line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")]
    return bool(int(caught, 16) & 1 << signal.SIGTERM - 1)


def _zombies(runner: Runner) -> list[int]:
    """Below the runner. (A zombie has no environment by which it could be known.)"""
    parents: dict[int, list[tuple[int, str]]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = Path("/proc", entry, "stat").read_bytes().rpartition(b")")[2].split()
            except OSError:
                continue
            parents.setdefault(int(fields[1]), []).append((int(entry), fields[0].decode()))
    found, todo = [], [runner.pid]
    while todo:
        for pid, state in parents.get(todo.pop(), []):
            todo.append(pid)
            if state == "Z":
                found.append(pid)
    return found


def test_orphans_of_jobs_are_reaped(host: Host) -> None:
    runner = host.run()
    host.push("leaves_orphans", 1)
    wait_until(lambda: host.ledger.events("orphan", "1"))
    wait_until(lambda: _zombies(runner) == [], 5)
    assert runner.stop() == 0


CONFIG = "LIGHTWEIGHT_QUEUE_WORKERS = {}\n"


def test_hup_becomes_the_new_configuration_under_the_same_pid(host: Host) -> None:
    config = host.directory / "override.py"
    config.write_text(CONFIG.format("{'faults': 1}"))
    settings = {"backend": RELIABLE, "redis_port": host.server.port}
    runner = Runner(host.directory, settings, "--config", str(config))
    with runner:
        runner.started()
        host.push("until_file", 1, str(host.directory / "go"))
        wait_until(lambda: host.ledger.events("start", "1"))

        config.write_text(CONFIG.format("{'faults': -1}"))
        runner.signal(signal.SIGHUP)
        runner.wait_for_line("the configuration is refused; running on")
        assert "-1" in runner.output
        config.write_text(CONFIG.format("{'faults':"))
        runner.signal(signal.SIGHUP)
        wait_until(lambda: runner.output.count("refused; running on") == 2)
        assert is_alive(host.ledger.events("start", "1")[0].pid)

        config.write_text(CONFIG.format("{'faults': 2}"))
        runner.signal(signal.SIGHUP)
        runner.wait_for_line("Reloading. Waiting for 1 job")
        (host.directory / "go").touch()
        runner.wait_for_line(r"faults/2 \| started", 15)
        assert host.ledger.jobs("end") == ["1"], "the job came to its end"
        assert len(host.ledger.events("start", "1")) == 1
        host.push("quick", 2)
        wait_until(lambda: host.ledger.events("end", "2"))
        assert runner.stop() == 0, "the pid is still the one that was started"


def test_hup_keeps_the_pidfile(host: Host) -> None:
    pidfile = host.directory / "dlq.pid"
    assert host.start("--pidfile", str(pidfile)).wait(15) == 0
    pid = int(wait_until(lambda: pidfile.exists() and pidfile.read_text().strip()))
    host.push("quick", 1)
    [first] = wait_until(lambda: host.ledger.events("end", "1"))
    os.kill(pid, signal.SIGHUP)
    wait_until(lambda: not is_alive(first.pid), 10)
    host.push("quick", 2)
    wait_until(lambda: host.ledger.events("end", "2"), 10)
    assert int(pidfile.read_text()) == pid
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not is_alive(pid), 5)
    assert not pidfile.exists()


@pytest.mark.parametrize("preload", [True, False])
def test_workers_start_forked_or_fresh(host: Host, preload: bool) -> None:
    runner = host.run(workers=2, preload=preload)
    for job in range(4):
        host.push("quick", job)
    wait_until(lambda: len(host.ledger.events("end")) == 4)
    for number in (1, 2):
        pid = runner.worker_pid(f"faults/{number}")
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda n=number, p=pid: runner.worker_pid(f"faults/{n}") != p)  # type: ignore[misc]  # mypy cannot infer a lambda's defaults
    host.push("quick", 5)
    wait_until(lambda: host.ledger.events("end", "5"))
    assert runner.stop() == 0


def test_metrics_are_served_per_worker_and_their_addresses_by_the_supervisor(host: Host) -> None:
    from urllib.request import urlopen

    port = free_ports(3)
    host.run(workers=2, enable_prometheus=True, prometheus_start_port=port)
    for job in range(20):
        host.push("quick", job)
    wait_until(lambda: len(host.ledger.events("end")) == 20)

    def get(number: int, path: str = "/") -> str:
        try:
            with urlopen(f"http://127.0.0.1:{port + number}{path}", timeout=5) as answer:
                text: str = answer.read().decode()
                return text
        except OSError:
            return ""

    config = wait_until(lambda: get(0, "/worker_config"))
    with socket.create_connection(("127.0.0.1", port)) as idle:
        assert get(0, "/worker_config") == config, "an idle client keeps no other waiting"
        idle.settimeout(REQUEST_LIMIT + 5)
        assert idle.recv(1) == b"", "and is hung up on"
    host_name = socket.gethostname()
    for number in (1, 2):
        assert f'"{host_name}:{port + number}"' in config
        assert f'"django_lightweight_queue_worker_num": "{number}"' in config
    assert '"django_lightweight_queue_worker_queue": "faults"' in config

    def count(number: int) -> float:
        for line in get(number).splitlines():
            if line.startswith('item_processed_seconds_count{queue="faults"}'):
                return float(line.split()[-1])
        return 0.0

    wait_until(lambda: count(1) + count(2) == 20)
    with socket.create_connection(("127.0.0.1", port)):
        assert get(0, "/worker_config") == config, "an idle client blocks nobody"


def test_a_metrics_port_in_use_costs_no_job(host: Host) -> None:
    port = free_ports(3)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", port + 1))
        listener.listen()
        runner = host.run(enable_prometheus=True, prometheus_start_port=port)
        runner.wait_for_line(f"cannot serve metrics on 127.0.0.1 port {port + 1}")
        host.push("quick", 1)
        wait_until(lambda: host.ledger.events("end", "1"))
        assert host.ledger.events("end", "1")[0].pid == runner.worker_pid("faults/1")


def test_one_worker_alone(host: Host) -> None:
    runner = Runner(
        host.directory,
        {"workers": {QUEUE: 2}, "backend": RELIABLE, "redis_port": host.server.port},
        verb=("worker", QUEUE, "2"),
    )
    with runner:
        runner.started()
        host.push("quick", 1)
        wait_until(lambda: host.ledger.events("end", "1"))
        assert runner.worker_pid("faults/2") == host.ledger.events("end", "1")[0].pid
        assert runner.stop() == 0


def test_titles_name_the_task_and_never_its_arguments(host: Host) -> None:
    go = host.directory / "secret-argument"
    host.push("until_file", 1, str(go))
    # A title behind the command line needs the room of the environment.
    runner = host.start(environment={"SPT_NOENV": ""})
    [started] = wait_until(lambda: host.ledger.events("start", "1"), 15)

    def title(pid: int) -> str:
        return Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0")

    assert "[dlq: faults/1 runs tests" in title(started.pid)
    assert title(runner.pid).endswith("[dlq: supervisor]")
    children = Path(f"/proc/{runner.pid}/task/{runner.pid}/children").read_text().split()
    assert str(started.pid) in children
    assert not any("secret" in title(int(pid)) for pid in children)
    go.touch()
    wait_until(lambda: title(started.pid).endswith("[dlq: faults/1 waits]"))


def test_a_closed_terminal_stops_it(host: Host) -> None:
    """The kernel sends HUP for that, which would else mean a reload."""
    settings = {"workers": {QUEUE: 1}, "backend": RELIABLE, "redis_port": host.server.port}
    runner = Runner(host.directory, settings)
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        command = [sys.executable, "-m", "dlq", "run"]
        os.execve(command[0], command, dict(runner.environment))
    try:
        host.push("quick", 1)
        wait_until(lambda: host.ledger.events("end", "1"), 15)
        os.close(terminal)
        ended, status = wait_until(lambda: _ended(pid), 5)
        assert (ended, os.waitstatus_to_exitcode(status)) == (pid, 0)
        wait_until(lambda: not runner.pids(), 3)
    finally:
        for left in runner.pids():
            os.kill(left, signal.SIGKILL)


def _ended(pid: int) -> tuple[int, ...]:
    ended = os.waitpid(pid, os.WNOHANG)
    return ended if ended[0] else ()
