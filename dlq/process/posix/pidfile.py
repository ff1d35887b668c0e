"""The pidfile, and going into the background.

The pidfile is locked for as long as its supervisor lives: a lock, unlike a pid, cannot be left
behind by a process that is gone or be mistaken for another's. Whatever can be refused is refused
before the terminal is given back."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Callable
from contextlib import suppress

from dlq.errors import UsageError

INHERITED = "DLQ_PIDFILE"
"""In the environment of the command that a supervisor becomes: the descriptor of its pidfile. The
lock belongs to the open file, so it lasts while that is handed on."""
ATTEMPTS = 10


class PidFile:
    """An open and locked pidfile. Raises UsageError where it cannot be opened or locked."""

    def __init__(self, path: str) -> None:
        self.path = os.path.abspath(path)
        inherited = os.environ.pop(INHERITED, "")
        if inherited.isdigit() and self._is_file_of(int(inherited)):
            self.fd = int(inherited)
            os.set_inheritable(self.fd, False)
        else:
            self.fd = self._open_locked()

    def write(self) -> None:
        """Write the pid of this process. Raises UsageError (a full disk), and leaves no file then:
        an empty one would mean to scripts that there is a runner. After a reload the pid is there
        already, and a disk that has become full meanwhile must not end a runner."""
        pid = f"{os.getpid()}\n".encode()
        if os.pread(self.fd, 32, 0) == pid:
            return
        try:
            os.ftruncate(self.fd, 0)
            os.pwrite(self.fd, pid, 0)
        except OSError as error:
            self.remove()
            raise self._error("cannot write", error) from None

    def hand_on(self) -> dict[str, str]:
        """Let the program that this process becomes keep the lock; what its environment needs."""
        os.set_inheritable(self.fd, True)
        return {INHERITED: str(self.fd)}

    def remove(self) -> None:
        """Remove it while the lock is held, and only where it is still the file that is locked: so
        no other runner's file is removed."""
        with suppress(OSError):
            if self._is_file_of(self.fd):
                os.unlink(self.path)
        os.close(self.fd)

    def _open_locked(self) -> int:
        """Another runner may remove the file between our opening and our locking: then the lock is
        one of a file without a name, and does not count."""
        for _ in range(ATTEMPTS):
            fd = self._open()
            try:
                self._lock(fd)
            except BaseException:
                os.close(fd)
                raise
            if self._is_file_of(fd):
                return fd
            os.close(fd)
        raise UsageError(f"--pidfile {self.path}: other processes remove it all the time")

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            fd = os.open(self.path, flags, 0o600)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise UsageError(
                    f"--pidfile {self.path} is a symbolic link: name the file itself"
                ) from None
            raise self._error("cannot write", error) from None
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            # It is removed at the end, and /dev/null must not be.
            os.close(fd)
            raise UsageError(f"--pidfile {self.path} is no regular file")
        return fd

    def _lock(self, fd: int) -> None:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EAGAIN):
                raise self._error("cannot lock", error) from None
            owner = os.pread(fd, 32, 0).decode("ascii", "replace").strip()
            raise UsageError(
                f"--pidfile {self.path}: another runner uses it, pid {owner or 'unknown'}: stop"
                " that one, or use another pidfile"
            ) from None

    def _is_file_of(self, fd: int) -> bool:
        """Compare the file that is open as `fd` with the one at the path."""
        try:
            opened, named = os.fstat(fd), os.stat(self.path, follow_symlinks=False)
        except OSError:
            return False
        return os.path.samestat(opened, named)

    def _error(self, action: str, error: OSError) -> UsageError:
        return UsageError(f"{action} --pidfile {self.path}: {error.strerror} (errno {error.errno})")


def detach(prepare: Callable[[], None]) -> None:
    """Go on in the background, in a session of its own. The process that was started ends with code
    0 after `prepare` has been called there (systemd and scripts read the pidfile then), or with 2
    where it raised: the terminal is still ours until then.

    The directory stays what it was: a reload starts the command again from it, and relative paths
    must mean the same.
    """
    reader, writer = os.pipe()
    if os.fork():
        # Exit handlers and unwritten buffers are the child's now, so without them.
        os.close(writer)
        os._exit(0 if os.read(reader, 1) else 2)
    os.close(reader)
    os.setsid()
    if os.fork():
        os._exit(0)
    prepare()
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.close(null)
    os.write(writer, b"+")
    os.close(writer)
