"""Other programs are told what happened: all of it, in order, signed, and never lost."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from recorder_sync.catalogue import alerts
from recorder_sync.model import AlertKind
from recorder_sync.station import now
from recorder_sync.timestamps import iso
from recorder_sync.watching.tick import tick
from recorder_sync.webhooks.place import Standing, keep
from recorder_sync.webhooks.signature import signed_headers
from recorder_sync.witnessing.posting import post
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
        self.led_to: list[str] = []
        """Paths that were asked for because an answer led there."""
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
                if code == 302:
                    self.send_header("location", f"{receiver.url}/elsewhere")
                self.end_headers()

            def do_GET(self) -> None:
                receiver.led_to.append(self.path)
                self.send_response(204)
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
    with configured(dock, tmp_path, receiver.url, nobody) as service:
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
        assert "not told" in service.log
        assert SECRET not in service.log + listed.out


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


def test_an_answer_that_leads_elsewhere_is_not_followed(receiver: Receiver) -> None:
    """Else a receiver could have the station ask other computers of the office."""
    receiver.answers = [302]
    headers = signed_headers(SECRET, "1", now(), b"{}")
    answer = post(receiver.url, b"{}", "application/json", headers=headers)
    assert (answer.status, receiver.led_to, receiver.heard) == (302, [], [])


def test_a_webhook_that_is_gone_is_told_no_more_until_the_next_start(
    dock: Dock, card: Card, media_files: MediaFiles, receiver: Receiver, tmp_path: Path
) -> None:
    service = configured(dock, tmp_path, receiver.url)
    receiver.answers = [410]
    with service:
        until(lambda: place(dock, "hook-1"), "its place")
        card.put("DCIM/a.mp4", media_files.video)
        assert dock.ingest(card, "--device", "0031").code == 0
        until(lambda: receiver.refused, "that it is gone")
        until(lambda: place(dock, "hook-1")["attempts"] == 1, "that this is kept")
    assert receiver.heard == []
    assert len(receiver.refused) == 1
    with service:
        until(lambda: len(receiver.heard) == 2, "both events")


@pytest.mark.raises_and_resolves(AlertKind.CHANNEL_DEAD)
def test_a_webhook_that_takes_nothing_for_long_is_an_alert(dock: Dock, tmp_path: Path) -> None:
    configured(dock, tmp_path, "http://127.0.0.1:9/")
    station = dock.station()
    with closing(station.catalogue):
        begun, minutes = station.now(), timedelta(minutes=1)

        def alerted(at: datetime) -> list[str]:
            tick(station, at)
            live = alerts.live(station.catalogue)
            return [one.text.english for one in live if one.kind is AlertKind.CHANNEL_DEAD]

        keep(dock.state, "hook-1", Standing(5, iso(begun), "it answered 503", 40))
        assert alerted(begun + 29 * minutes) == []
        assert alerted(begun + 31 * minutes) == ["The webhook hook-1 takes no messages."]
        keep(dock.state, "hook-1", Standing(6))
        assert alerted(begun + 32 * minutes) == []


def test_a_secret_as_the_standard_writes_it_is_its_bytes(tmp_path: Path) -> None:
    """The example of https://github.com/standard-webhooks/standard-webhooks, of its libraries."""
    signed = signed_headers(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        datetime.fromtimestamp(1614265330, UTC),
        b'{"test": 2432232314}',
    )
    assert signed["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


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
