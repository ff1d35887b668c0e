"""A TCP proxy before a server, that does to connections what networks do.

Each fault counts how often it has struck: a test that asks proves that the fault happened.
"""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
from contextlib import suppress
from types import TracebackType

RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: close with RST, as a peer does that has forgotten the connection."""


class Proxy:
    """Listens on `port` and passes on to `upstream`, a port of this host."""

    def __init__(self, upstream: int) -> None:
        self._upstream = upstream
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._open: dict[socket.socket, threading.Thread] = {}
        self._through = threading.Event()
        self._through.set()
        self._delay = 0.0
        self._losing: tuple[bytes, int] = (b"", 0)
        self._is_closed = False
        self.accepted = 0
        self.lost_replies = 0
        self.swallowed = 0
        """Bytes that came while it was a black hole."""
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # Faults

    def blackhole(self) -> None:
        """Connections stay and new ones are accepted; nothing that is sent arrives. What is sent
        meanwhile is lost for ever, as behind a network device that has forgotten a connection."""
        self._through.clear()

    def heal(self) -> None:
        """For new connections: those of before have lost bytes and are reset."""
        self.reset()
        self._through.set()

    def delay(self, seconds: float) -> None:
        """Each packet, each way."""
        self._delay = seconds

    def lose_reply(self, to: bytes, times: int = 1) -> None:
        """Pass a command that contains `to` on; when it has been answered, reset the connection
        and keep the answer."""
        with self._lock:
            self._losing = (to, times)

    def reset(self) -> int:
        """Break all connections; how many there were."""
        with self._lock:
            connections, self._open = self._open, {}
        for connection in connections:
            _reset(connection)
        # As long as a thread waits on a connection, the reset is not sent.
        for thread in connections.values():
            thread.join(5)
        return len(connections)

    def close(self) -> None:
        self._is_closed = True
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.reset()
        for thread in self._threads:
            thread.join(5)

    # How it works

    def _accept(self) -> None:
        while not self._is_closed:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            try:
                server = socket.create_connection(("127.0.0.1", self._upstream), 5)
            except OSError:
                _reset(client)
                continue
            thread = threading.Thread(target=self._pass_on, args=(client, server), daemon=True)
            with self._lock:
                self._open[client] = thread
                thread.start()
            self._threads.append(thread)

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError, ValueError):
            while not self._is_closed:
                readable, _, _ = select.select([client, server], [], [], 0.2)
                for source in readable:
                    target = server if source is client else client
                    self._pass_on_once(source, target, client)
        _reset(client)
        server.close()
        with self._lock:
            self._open.pop(client, None)

    def _pass_on_once(
        self, source: socket.socket, target: socket.socket, client: socket.socket
    ) -> None:
        data = source.recv(65536)
        if not data:
            raise OSError
        if not self._through.is_set():
            self.swallowed += len(data)
            return
        if self._delay:
            time.sleep(self._delay)
        if source is client and self._loses(data):
            target.sendall(data)
            target.recv(65536)
            self.lost_replies += 1
            raise OSError
        target.sendall(data)

    def _loses(self, data: bytes) -> bool:
        with self._lock:
            word, times = self._losing
            if not times or word not in data:
                return False
            self._losing = (word, times - 1)
            return True


def _reset(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        # Wakes a thread that waits on it; the close alone would not.
        connection.shutdown(socket.SHUT_RD)
    connection.close()
