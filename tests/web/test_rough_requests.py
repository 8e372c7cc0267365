"""Requests that no browser makes: too large, no text, beyond the calendar, by another name."""

import socket
from collections.abc import Iterator
from contextlib import suppress

import httpx
import psutil
import pytest

from tests.conftest import Dock
from tests.web.served import Client, Service


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    served = Service(Dock(tmp_path_factory.mktemp("rough")))
    served.configure(web={"requests_per_s": 1000.0})
    served.account("zhou", "custodian")
    with served:
        yield served


@pytest.fixture(scope="module")
def client(service: Service) -> Iterator[Client]:
    with service.signed_in("zhou") as client:
        yield client


def raw(service: Service, *pieces: bytes) -> bytes:
    """Send bytes as they are; return the beginning of the answer."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as one:
        with suppress(ConnectionResetError, BrokenPipeError):
            for piece in pieces:
                one.sendall(piece)
        try:
            return one.recv(65536)
        except ConnectionResetError:
            return b""


@pytest.mark.parametrize("path", ["/sign-in", "/alerts", "/api/v1/cases"])
@pytest.mark.parametrize("extra", ["", "Authorization: Bearer x\r\n"])
def test_a_request_of_unknown_length_is_given_up_when_it_is_too_large(
    service: Service, path: str, extra: str
) -> None:
    process = psutil.Process(service.pid)
    before = process.memory_info().rss
    kind = "application/json" if "api" in path else "application/x-www-form-urlencoded"
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{service.port}\r\nContent-Type: {kind}\r\n"
        f"{extra}Transfer-Encoding: chunked\r\n\r\n"
    )
    block = b"100000\r\n" + b"a" * (1 << 20) + b"\r\n"
    answer = raw(service, head.encode(), *[block] * 40, b"0\r\n\r\n")
    assert answer[9:12] in (b"413", b"400"), answer[:200]
    assert process.memory_info().rss - before < 32 << 20


@pytest.mark.parametrize("path", ["/sign-in", "/dock/officer/x/identify", "/api/v1/cases"])
def test_a_request_that_says_it_is_too_large_is_refused_at_the_door(
    service: Service, path: str
) -> None:
    for length in (str(100 << 20), str(10**15)):
        head = (
            f"POST {path} HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer x\r\n"
            f"Content-Length: {length}\r\n\r\n"
        )
        assert raw(service, head.encode()).startswith(b"HTTP/1.1 403")


def test_a_form_of_another_site_is_no_better_for_having_an_authorization(
    service: Service,
) -> None:
    answer = httpx.post(
        f"{service.address}/sign-in",
        data={"name": "x", "password": "x"},
        headers={"origin": "https://evil.example", "authorization": "Basic eDp4"},
    )
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "lines",
    [
        b"X: " + b"a" * (1 << 20),
        b"Content-Length: \xc2\xb2",
        b"Content-Length: -1",
        b"Content-Length: 0x10",
    ],
)
def test_a_head_that_is_none_is_refused(service: Service, lines: bytes) -> None:
    assert raw(service, b"POST / HTTP/1.1\r\nHost: here\r\n" + lines + b"\r\n\r\n")[9:12] == b"400"


@pytest.mark.parametrize("path", ["/sign-in", "/dock", "/api/v1/cases", "/metrics"])
def test_a_head_that_is_no_text_breaks_nothing(service: Service, path: str) -> None:
    head = f"GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n".encode()
    for line in (
        b"Cookie: session=\xff\xfe; language=\xff",
        b"Cookie: " + b"; ".join(b"c%d=1" % number for number in range(4000)),
        b"Authorization: Bearer \xff\xfe",
        b"Accept-Language: \xff",
    ):
        assert raw(service, head + line + b"\r\n\r\n")[9:10] in (b"2", b"4"), line[:40]


NO_NAMES = ("%00", "%ff%fe", "%ed%a0%80", "%E2%80%AE0031", "..%2f..%2f", "a" * 3000)


@pytest.mark.parametrize(
    "path",
    [
        *("/recordings/{}", "/recordings/{}/media", "/cases/{}", "/devices/{}", "/dockings/{}"),
        *("/gaps/{}", "/alerts/{}", "/recordings?q={}&device={}", "/recordings?after={}"),
        *("/cases?q={}", "/devices?q={}&after={}", "/custody?subject={}&actor={}"),
        *("/device-labels?number={}", "/device-handover?number={}", "/calendar?entry={}"),
        *("/recordings-being-made?thumbnails={}&preview={}", "/dock/officer/{}", "/static/{}"),
        *("/dockings?device={}&after={}", "/deferrals?after={}", "/sign-in?next={}"),
    ],
)
def test_a_name_that_is_none_is_not_found_and_no_defect(client: Client, path: str) -> None:
    for name in NO_NAMES:
        code = client.get(path.replace("{}", name)).status_code
        assert code in (200, 303, 400, 404, 422), f"{code} {path} {name}"


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
@pytest.mark.parametrize(
    "path",
    [
        *("/calendar?on={}", "/gaps?until={}", "/recordings?since={}", "/recordings?until={}"),
        *("/statistics?since={}&until={}", "/devices/x?before={}T00:00:00Z"),
    ],
)
def test_a_day_beyond_the_calendar_is_no_defect(client: Client, path: str, day: str) -> None:
    assert client.get(path.replace("{}", day)).status_code < 500


def test_names_that_would_deceive_the_eye_are_refused_or_shown_plainly(client: Client) -> None:
    turned = "石执罚\u202e7102\u202c号"
    answer = client.post("/cases", number=turned, party="a\u200bb", cause="x\x00y")
    if answer.status_code == 303:
        shown = client.get(answer.headers["location"]).text
        assert "\u202e" not in shown
        assert "\x00" not in shown
    else:
        assert answer.status_code == 400
    assert "\u202e" not in client.get("/cases").text


def test_the_dock_is_open_to_who_asks_this_computer_and_not_by_a_strangers_name(
    service: Service,
) -> None:
    """A page of a stranger whose name leads to this computer reads nothing here."""
    for host, code in (
        ("127.0.0.1", 200),
        ("localhost", 200),
        ("dock-01", 200),
        ("dock-01.local", 200),
        ("[::1]", 200),
        ("evil.example", 303),
        ("127.0.0.1.evil.example", 303),
    ):
        headers = {"host": f"{host}:{service.port}"}
        assert httpx.get(f"{service.address}/dock/now", headers=headers).status_code == code
        answer = httpx.get(f"{service.address}/metrics", headers=headers)
        assert answer.status_code == (200 if code == 200 else 401), host
