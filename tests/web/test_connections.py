"""Clients that take their time, or come in great numbers, take no files from the intake."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import httpx
import pytest
import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from recorder_sync.web.connections import Impatient
from tests.web.served import Service

HEAD = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"


class Hasty(Impatient):
    head_within_s = 1.0
    body_within_s = 1.5
    read_within_s = 4.0
    most = 12
    most_of_one = 8


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer when the whole request is there; a long answer where one is asked for."""
    while scope["method"] == "POST" and (await receive()).get("more_body"):
        pass
    long = scope["path"] == "/long"
    if long:
        await asyncio.sleep(2.0)
    await PlainTextResponse("z" * 8_000_000 if long else "here")(scope, receive, send)


@contextmanager
def served(*, behind_proxy: bool = False) -> Iterator[tuple[str, int]]:
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app, http=Hasty, log_config=None, lifespan="off", proxy_headers=behind_proxy
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


def is_closed(one: socket.socket, within_s: float = 5.0) -> bool:
    one.settimeout(within_s)
    try:
        return one.recv(1) == b""
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET / HT",
        b"GET / HTTP/1.1\r\nHost: here\r\nX: ",
        b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 10\r\n\r\nname",
        b"POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nna",
    ],
)
def test_a_request_that_does_not_come_costs_its_connection(begun: bytes) -> None:
    with served() as address, socket.create_connection(address) as one:
        one.sendall(begun)
        assert is_closed(one)


def test_who_sends_byte_after_byte_is_not_waited_for_any_longer() -> None:
    with served() as address, socket.create_connection(address) as one:
        one.settimeout(0.05)
        for _ in range(100):
            try:
                one.sendall(b"G")
                assert one.recv(1) == b""
                break
            except TimeoutError:
                continue
            except (ConnectionResetError, BrokenPipeError):
                break
        else:
            raise AssertionError("it was waited for")


def test_an_answer_may_take_long_and_be_read_slowly() -> None:
    with served() as address, socket.create_connection(address) as one:
        one.sendall(HEAD.replace(b"/ ", b"/long "))
        one.settimeout(15)
        got = one.recv(4096)
        assert got.startswith(b"HTTP/1.1 200")
        threading.Event().wait(0.6)  # as a player does that is paused
        while got.count(b"z") < 8_000_000 and (more := one.recv(1 << 20)):
            got += more
        assert got.count(b"z") == 8_000_000
        one.sendall(HEAD)  # and the connection is good for another request
        assert one.recv(4096).startswith(b"HTTP/1.1 200")


def test_an_answer_that_nobody_reads_is_not_kept_for_ever() -> None:
    with served() as address, socket.create_connection(address) as one:
        one.sendall(HEAD.replace(b"/ ", b"/long "))
        threading.Event().wait(7.0)
        got = 0
        with suppress(ConnectionResetError):
            while more := one.recv(1 << 20):
                got += len(more)
        assert got < 8_000_000


def test_one_address_has_only_so_many_connections_and_a_proxy_has_those_of_all() -> None:
    for behind_proxy, most in ((False, Hasty.most_of_one), (True, Hasty.most)):
        with served(behind_proxy=behind_proxy) as address, ExitStack() as stack:
            for _ in range(most):
                one = stack.enter_context(socket.create_connection(address))
                one.sendall(HEAD)
                assert one.recv(4096).startswith(b"HTTP/1.1 200")
            last = stack.enter_context(socket.create_connection(address))
            assert is_closed(last)


def test_the_pages_take_no_more_connections_than_that(service: Service) -> None:
    with ExitStack() as stack:
        for _ in range(Impatient.most_of_one):
            stack.enter_context(socket.create_connection(("127.0.0.1", service.port)))
        last = stack.enter_context(socket.create_connection(("127.0.0.1", service.port)))
        assert is_closed(last)
    assert httpx.get(f"{service.address}/sign-in").status_code == 200
