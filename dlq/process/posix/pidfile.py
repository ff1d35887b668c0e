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


class PidFile:
    """An open and locked pidfile. Raises UsageError where it cannot be opened or locked."""

    def __init__(self, path: str) -> None:
        self.path = os.path.abspath(path)
        try:
            self.fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise UsageError(
                f"cannot write --pidfile {self.path}: {error.strerror} (errno {error.errno})"
            ) from None
        if not stat.S_ISREG(os.fstat(self.fd).st_mode):
            # It is removed at the end, and /dev/null must not be.
            os.close(self.fd)
            raise UsageError(f"--pidfile {self.path} is no regular file")
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self.fd, 32, 0).decode("ascii", "replace").strip()
            os.close(self.fd)
            if error.errno not in (errno.EACCES, errno.EAGAIN):
                raise UsageError(
                    f"--pidfile {path}: {error.strerror} (errno {error.errno})"
                ) from None
            raise UsageError(
                f"--pidfile {path}: another runner has it, pid {holder or 'unknown'}: stop that"
                " one, or use another pidfile"
            ) from None

    def write(self) -> None:
        """The pid of this process. Raises UsageError (a full disk), and leaves no file then: an
        empty one would tell scripts that there is a runner. After a reload it is there already, and
        a disk that has become full meanwhile must not end a runner."""
        pid = f"{os.getpid()}\n".encode()
        if os.pread(self.fd, 32, 0) == pid:
            return
        try:
            os.ftruncate(self.fd, 0)
            os.pwrite(self.fd, pid, 0)
        except OSError as error:
            self.remove()
            raise UsageError(
                f"cannot write --pidfile {self.path}: {error.strerror} (errno {error.errno})"
            ) from None

    def remove(self) -> None:
        """While the lock is held, so that nobody else's file is removed."""
        with suppress(OSError):
            os.unlink(self.path)
        os.close(self.fd)


def detach(prepare: Callable[[], None]) -> None:
    """Go on in the background, in a session of its own. The process that was started ends with code
    0 after `prepare` has been called there (systemd and scripts read the pidfile then), or with 2
    where it raised: the terminal is still ours until then.

    The directory stays what it was: a reload starts the command anew from it, and relative paths
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
