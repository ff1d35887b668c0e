"""Servers as REDIS_URL names them: a socket of this machine, a user with a password, TLS. Each is
tried over everything that talks to a server: the web process's client and the worker's channel."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from pydantic import SecretStr

from dlq.backends.redis_storage.acl import dlq_acl
from dlq.backends.reliable_redis import ReliableRedisBackend
from dlq.config.settings import Settings
from dlq.errors import BackendUnavailable, EnqueueError, NoSuchDatabase
from tests.backends.storages import Q, consuming, drain, first_argument, job, take
from tests.kit.valkey import Server

TLS = Path(__file__).parent / "tls"


def use(url: str) -> None:
    """Jobs go in, come out of a wait, of an interrupted one too, and are acknowledged."""
    with using(url) as backend:
        backend.enqueue(job(1), Q)
        assert backend.length(Q) == 1
        with consuming(backend) as consumer:
            taken = take(consumer)
            assert first_argument(taken) == 1
            consumer.acknowledge(taken)
            assert consumer.take(0) is None

            later = threading.Timer(0.2, lambda: backend.enqueue(job("x" * 100_000), Q))
            later.start()
            taken = take(consumer, 10)
            assert first_argument(taken) == "x" * 100_000, "more than one TLS record"
            consumer.acknowledge(taken)
            later.join()

            began = time.monotonic()
            waker = threading.Timer(0.2, consumer.wake)
            waker.start()
            assert consumer.take(10) is None
            assert time.monotonic() - began < 5
            waker.join()
            backend.bulk_enqueue([job(2), job(3)], Q)
            assert drain(consumer) == [2, 3]


@contextmanager
def using(url: str, **more: Any) -> Iterator[ReliableRedisBackend]:
    backend = ReliableRedisBackend(Settings(redis_url=SecretStr(url), **more))
    try:
        yield backend
    finally:
        backend.reset()


@pytest.fixture
def socket_server() -> Iterator[Server]:
    server = Server()
    server.options["unixsocket"] = str(server.directory / "socket")
    yield server.start()
    server.remove()


def test_a_socket_of_this_machine(socket_server: Server) -> None:
    path = socket_server.options["unixsocket"]
    use(f"unix://{path}")
    use(f"unix://{path}?db=3")
    with using(f"unix://{path}?db=3") as backend, socket_server.client(db=3) as client:
        assert str(backend.address) == path
        backend.enqueue(job(1), Q)
        assert client.llen("django_lightweight_queue:emails") == 1


def test_a_socket_that_is_not_there(tmp_path: Path) -> None:
    with (
        using(f"unix://{tmp_path}/none") as backend,
        pytest.raises(BackendUnavailable, match=f"{tmp_path}/none cannot be reached"),
    ):
        backend.length(Q)


@pytest.mark.parametrize("scheme", ["redis", "valkey"])
def test_a_user_with_a_password(server: Server, scheme: str) -> None:
    url = f"{scheme}://shop:p%40ss%2Fword@127.0.0.1:{server.port}/0"
    with server.client() as client:
        client.acl_setuser(
            "shop", enabled=True, passwords=["+p@ss/word"], keys="*", commands=["+@all"]
        )
        try:
            use(url)
            with using(url) as backend, consuming(backend) as consumer:
                assert consumer.take(0) is None
                assert "shop" in {found["user"] for found in client.client_list()}
        finally:
            client.acl_deluser("shop")
    with using(url) as backend, pytest.raises(BackendUnavailable, match="user or password") as said:
        backend.length(Q)
    assert "ss/word" not in str(said.value)


@pytest.mark.parametrize("scheme", ["rediss", "valkeys"])
def test_tls(server: Server, scheme: str) -> None:
    with tls_before(server) as port:
        use(f"{scheme}://127.0.0.1:{port}/0?ssl_ca_certs={TLS}/certificate.pem")


def test_tls_of_somebody_else_is_refused(server: Server) -> None:
    with (
        tls_before(server) as port,
        using(f"rediss://127.0.0.1:{port}/0") as backend,
        pytest.raises(BackendUnavailable, match="certificate verify failed"),
    ):
        backend.length(Q)


@pytest.mark.parametrize("scheme", ["rediss", "valkeys"])
def test_a_server_without_tls_is_named(server: Server, scheme: str) -> None:
    """It takes the greeting for the beginning of a command, and waits for the rest."""
    with using(f"{scheme}://127.0.0.1:{server.port}/0", redis_socket_timeout=0.5) as backend:
        said = r"does not speak TLS on this port: use redis:// in place of rediss://$"
        with pytest.raises(BackendUnavailable, match=said):
            backend.length(Q)
        with pytest.raises(EnqueueError, match=said) as raised:
            backend.enqueue(job(1), Q)
        assert not raised.value.may_be_stored
        with consuming(backend) as consumer, pytest.raises(BackendUnavailable, match=said):
            consumer.take(0)


def test_tls_that_was_not_expected_is_named(server: Server) -> None:
    with tls_before(server) as port, using(f"redis://127.0.0.1:{port}/0") as backend:
        said = "speaks TLS on this port: use REDIS_URL with rediss://$"
        with pytest.raises(BackendUnavailable, match=said):
            backend.length(Q)
        with pytest.raises(EnqueueError, match=said) as raised:
            backend.enqueue(job(1), Q)
        assert not raised.value.may_be_stored


def test_a_server_that_hangs_is_not_thought_to_speak_otherwise() -> None:
    server = Server().start()
    try:
        server.freeze()
        url = f"rediss://127.0.0.1:{server.port}/0"
        with (
            using(url, redis_socket_timeout=0.5) as backend,
            pytest.raises(BackendUnavailable, match=r"does not answer$"),
        ):
            backend.length(Q)
    finally:
        server.remove()


def test_a_server_that_hangs_up_is_not_thought_to_speak_otherwise(server: Server) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        using(f"redis://127.0.0.1:{listener.getsockname()[1]}/0") as backend,
    ):
        hangs_up = threading.Thread(target=hang_up, args=(listener,))
        hangs_up.start()
        with pytest.raises(BackendUnavailable, match=r"cannot be reached: .*correct REDIS_URL"):
            backend.length(Q)
        listener.shutdown(socket.SHUT_RDWR)
        hangs_up.join(10)


def hang_up(listener: socket.socket) -> None:
    with suppress(OSError):
        while True:
            listener.accept()[0].close()


@pytest.mark.parametrize(
    ("databases", "said"),
    [("3", r"3 databases \(0 to 2\), and no 99"), ("1", r"1 database \(0\), and no 99")],
)
def test_a_database_that_is_not_there(databases: str, said: str) -> None:
    server = Server(databases=databases).start()
    said = f"the server at 127.0.0.1:{server.port} has {said}: choose a lower number in REDIS_URL"
    try:
        for url in (f"{server.url[:-1]}99", f"{server.url}?db=99"):
            with using(url) as backend:
                with pytest.raises(NoSuchDatabase, match=said):
                    backend.length(Q)
                with pytest.raises(EnqueueError, match=said) as raised:
                    backend.enqueue(job(1), Q)
                assert not raised.value.may_be_stored
                with consuming(backend) as consumer, pytest.raises(NoSuchDatabase, match=said):
                    consumer.take(0)
    finally:
        server.remove()


def test_a_database_that_is_not_there_for_a_user_who_may_not_ask(server: Server) -> None:
    with server.client() as client:
        client.execute_command("ACL", "SETUSER", "shop", "on", ">s3cret", *dlq_acl("").split())
        try:
            url = f"redis://shop:s3cret@127.0.0.1:{server.port}/99"
            said = f"the server at 127.0.0.1:{server.port} has no database 99: choose a lower"
            with using(url) as backend, pytest.raises(NoSuchDatabase, match=said):
                backend.length(Q)
        finally:
            client.acl_deluser("shop")


def test_the_line_that_chose_the_database_is_named(server: Server) -> None:
    with (
        override_settings(
            LIGHTWEIGHT_QUEUE_REDIS_PORT=server.port, LIGHTWEIGHT_QUEUE_REDIS_DATABASE=99
        ),
        pytest.raises(NoSuchDatabase, match=r"number in REDIS_DATABASE \(Django settings\)$"),
    ):
        ReliableRedisBackend().length(Q)


@contextmanager
def tls_before(server: Server) -> Iterator[int]:
    """The port of a process that speaks TLS for the server, as stunnel does."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "certificate.pem", TLS / "key.pem")
    open_sockets: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                accepted, _ = listener.accept()
            except OSError:
                return
            try:
                inner = context.wrap_socket(accepted, server_side=True)
            except OSError:
                accepted.close()
                continue
            outer = socket.create_connection(("127.0.0.1", server.port))
            open_sockets.extend((inner, outer))
            for source, sink in ((inner, outer), (outer, inner)):
                thread = threading.Thread(target=pump, args=(source, sink))
                thread.start()
                threads.append(thread)

    def pump(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError, ValueError):
            while data := source.recv(65536):
                sink.sendall(data)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)

    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        accepting = threading.Thread(target=serve, args=(listener,))
        accepting.start()
        try:
            yield listener.getsockname()[1]
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            accepting.join(10)
            for each in open_sockets:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join(10)
            for each in open_sockets:
                each.close()
