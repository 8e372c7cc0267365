"""Other programs are told what happened: all of it, in order, signed, and never lost."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Card, Dock, MediaFiles
from tests.ingest.aftermath import until
from tests.web.served import Service

SECRET = "a secret that is long enough"


class Receiver:
    """A program that is told; answers with what it was set to, then with 204."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.refused: list[str] = []
        self.answers: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                code = receiver.answers.pop(0) if receiver.answers else 204
                assert is_signed(dict(self.headers.items()), body)
                if code == 204:
                    receiver.heard.append(json.loads(body))
                else:
                    receiver.refused.append(self.headers["webhook-id"])
                self.send_response(code)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/told"


def is_signed(headers: dict[str, str], body: bytes) -> bool:
    """Check a message as its receiver does, by the public description of the format."""
    found = {name.lower(): value for name, value in headers.items()}
    content = f"{found['webhook-id']}.{found['webhook-timestamp']}.".encode() + body
    digest = hmac.new(SECRET.encode(), content, hashlib.sha256).digest()
    return found["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()


def configured(dock: Dock, tmp_path: Path, *urls: str, **more: object) -> Service:
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    hooks = [
        {"name": f"hook-{number}", "url": url, "secret": {"file": str(secret)}, **more}
        for number, url in enumerate(urls, 1)
    ]
    dock.configure(webhooks=hooks)
    assert dock.run("devices", "add", "0031").code == 0
    return Service(dock, "forward")


def place(dock: Dock, name: str) -> Any:
    path = dock.state / "webhooks" / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def test_what_happens_is_told_in_order_and_a_refusal_only_delays_it(
    dock: Dock, card: Card, media_files: MediaFiles, receiver: Receiver, tmp_path: Path
) -> None:
    nobody = "http://127.0.0.1:9/"
    with configured(dock, tmp_path, receiver.url, nobody):
        until(lambda: place(dock, "hook-1"), "its place")
        receiver.answers = [500]
        card.put("DCIM/a.mp4", media_files.video)
        assert dock.ingest(card, "--device", "0031").code == 0
        until(lambda: len(receiver.heard) == 2, "both events")
        assert [one["type"] for one in receiver.heard] == ["recording.sealed", "docking.closed"]
        seal = receiver.heard[0]
        shown = dock.run("recordings", "list", "--json").json["recordings"][0]
        assert seal["data"]["subject"] == shown["id"]
        assert receiver.refused == [f"test-{seal['data']['custody_seq']}"]
        until(lambda: place(dock, "hook-1")["failing_since"] is None, "it works again")
        until(lambda: place(dock, "hook-2")["attempts"], "the other one failed")
        listed = dock.run("webhooks", "list", "--json")
        assert listed.code == 1
        standing = {one["name"]: one["failing_since"] for one in listed.json["webhooks"]}
        assert (standing["hook-1"] is None, standing["hook-2"] is None) == (True, False)
        assert "0031" not in json.dumps(receiver.heard), "who wants to know more asks the API"


def test_what_happened_while_nobody_told_it_is_told_afterwards(
    dock: Dock, card: Card, media_files: MediaFiles, receiver: Receiver, tmp_path: Path
) -> None:
    service = configured(dock, tmp_path, receiver.url, events=["recording.sealed"])
    with service:
        until(lambda: place(dock, "hook-1"), "its place")
    card.put("DCIM/a.mp4", media_files.video)
    assert dock.ingest(card, "--device", "0031").code == 0
    assert receiver.heard == []
    with service:
        until(lambda: receiver.heard, "the event")
    with service:
        card.put("DCIM/b.mp4", media_files.other_video)
        assert dock.ingest(card, "--device", "0031").code == 0
        until(lambda: len(receiver.heard) == 2, "the second event")
    assert {one["type"] for one in receiver.heard} == {"recording.sealed"}
    assert len({one["data"]["subject"] for one in receiver.heard}) == 2


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"url": "http://cases.example.org/"}, "should begin with https://"),
        ({"url": "https://name:word@cases.example.org/"}, "no name and password"),
        ({"events": ["everything"]}, "recording.sealed"),
    ],
)
def test_a_bad_webhook_is_named_with_its_key(
    dock: Dock, tmp_path: Path, change: dict[str, object], says: str
) -> None:
    secret = {"file": str(tmp_path / "secret")}
    hook = {"name": "hook", "url": "https://cases.example.org/", "secret": secret, **change}
    dock.configure(webhooks=[hook])
    done = dock.run("config", "check")
    assert done.code == 2
    assert "webhooks.0" in done.err
    assert says in done.err
