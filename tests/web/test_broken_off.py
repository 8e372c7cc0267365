"""Downloads that are broken off: by whoever asked, at any moment, and by the end of the service.

What the custody log says afterwards is what was handed out: a copy that did not arrive as a
whole is taken back on record.
"""

import re
import socket
import struct
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from recorder_sync.custody.log import Act, CustodyLog
from tests.conftest import Card, MediaFiles
from tests.ingest.aftermath import until
from tests.web.served import Client, Service

LARGE = 16 << 20
"""More than the buffers between the service and somebody who reads nothing."""


@pytest.fixture
def recording(service: Service, card: Card, media_files: MediaFiles) -> str:
    film = media_files.video.read_bytes() + bytes(LARGE)
    card.put("DCIM/DCAM_CAM001_000001_20261123_100000.mp4", film)
    service.account("zhou", "custodian")
    (found,) = service.dock.ingest(card).json["recordings"]
    return str(found["id"])


@pytest.fixture
def zhou(service: Service, recording: str) -> Iterator[Client]:
    with service.signed_in("zhou") as client:
        yield client


def asked(service: Service, client: Client, path: str, **fields: str) -> socket.socket:
    """Send a form as a browser does; return its connection, from which nothing was read."""
    token = re.search(r'name="csrf" value="([^"]+)"', client.get("/my-account").text)
    assert token is not None
    body = urlencode({"csrf": token[1], **fields}).encode()
    cookies = "; ".join(f"{name}={value}" for name, value in client.http.cookies.items())
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.connect(("127.0.0.1", service.port))
    line.sendall(
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{service.port}\r\ncookie: {cookies}\r\n"
        "content-type: application/x-www-form-urlencoded\r\n"
        f"content-length: {len(body)}\r\n\r\n".encode()
        + body
    )
    return line


def hang_up(line: socket.socket) -> None:
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    line.close()


def acts(service: Service, recording: str) -> list[Act]:
    """Return what was handed out of a recording, and what of that was taken back."""
    log = CustodyLog(service.dock.state / "custody", "test")
    found = [e.deed.act for e in log.entries() if e.deed.subject == recording]
    return [act for act in found if act in (Act.EXPORT, Act.EXPORT_FAILED)]


def test_who_hangs_up_before_the_first_byte_or_in_the_middle_was_handed_nothing(
    service: Service, zhou: Client, recording: str
) -> None:
    marked = f"/recordings/{recording}/marked-preview"
    for path in ("/recordings-copy", marked, marked, "/recordings-copy"):
        hang_up(asked(service, zhou, path, ids=recording, reason="x"))
    until(lambda: acts(service, recording).count(Act.EXPORT_FAILED) == 4, "all are taken back")
    line = asked(service, zhou, "/recordings-copy", ids=recording, reason="x")
    assert line.recv(4096).startswith(b"HTTP/1.1 200")
    hang_up(line)
    until(lambda: acts(service, recording).count(Act.EXPORT_FAILED) == 5, "this one as well")
    assert acts(service, recording).count(Act.EXPORT) == 5


def test_a_copy_under_way_when_the_service_ends_is_taken_back(
    service: Service, zhou: Client, recording: str
) -> None:
    line = asked(service, zhou, "/recordings-copy", ids=recording, reason="x")
    assert line.recv(4096).startswith(b"HTTP/1.1 200")
    service.kill()
    assert acts(service, recording) == [Act.EXPORT, Act.EXPORT_FAILED]
