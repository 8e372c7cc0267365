"""`alerts channels`, `alerts test` and the forward service, with real servers."""

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.channels.conftest import Handler, Post, Syslog, Webs, matter, ok, saying, status
from tests.conftest import Dock
from tests.ingest.aftermath import until

_SECRET = "geheim-4711"


class Service:
    """`recorder-sync forward` in a child process."""

    def __init__(self, dock: Dock, journal: Path) -> None:
        self._journal = journal
        self.process = dock.start("forward", journal=journal)

    def log(self) -> str:
        return self._journal.read_text("utf-8")

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


@pytest.fixture
def forward(dock: Dock, tmp_path: Path) -> Iterator[Callable[[], Service]]:
    started: list[Service] = []

    def start() -> Service:
        started.append(Service(dock, tmp_path / f"journal-{len(started)}"))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()


def test_a_test_message_says_plainly_what_each_channel_answered(
    post: Post, web: Webs, syslog: Syslog
) -> None:
    good = web()
    bad = web(saying(errcode=93000, errmsg=f"invalid webhook url {_SECRET}"))
    post.channels(good.address, f"{bad.address}/{_SECRET}", "json://127.0.0.1:1", syslog.address)
    done = post.dock.run("alerts", "test")
    assert done.code == 1, done.err
    assert "0: taken" in done.out
    assert "1: not delivered: errcode 93000" in done.out
    assert "2: not delivered: " in done.out
    assert "refused" in done.out
    assert "3: taken" in done.out
    assert _SECRET not in done.out + done.err
    assert "[test] Test" in syslog.line()
    assert post.dock.run("alerts", "test", "0", "3").code == 0
    assert post.dock.run("alerts", "test", "4").code == 2


def test_a_test_without_any_channel_says_how_to_add_one(dock: Dock) -> None:
    done = dock.run("alerts", "test")
    assert done.code == 2
    assert "[[alerts.channels]]" in done.err
    assert dock.run("alerts", "channels").code == 0


def test_a_test_that_goes_through_has_what_waits_sent_at_once(
    post: Post, web: Webs, forward: Callable[[], Service]
) -> None:
    server = web(status(500))
    post.channels(server.address)
    post.tell(*post.open(matter()))
    post.station.catalogue.execute("update messages set attempts = 9")
    post.station.catalogue.conn.commit()
    forward()
    post.wait("attempts = 10")
    listed = post.dock.run("alerts", "channels", "--json")
    assert listed.code == 1
    (found,) = listed.json["channels"]
    assert (found["kind"], found["waiting"], found["last_error"]) == ("json", 1, "HTTP 500")
    assert found["failing_since"] is not None
    server.reply = ok
    assert post.dock.run("alerts", "test", "--json").json["channels"][0]["delivered"]
    post.wait("delivered_at is not null")
    assert post.dock.run("alerts", "channels").code == 0


def test_channels_say_whom_nobody_tells_and_which_address_cannot_be_read(
    post: Post, tmp_path: Path
) -> None:
    post.channels("mailto://127.0.0.1:1?from=a@example.org&to=b@example.org")
    (tmp_path / "address-0").chmod(0o644)
    listed = post.dock.run("alerts", "channels", "--json")
    assert listed.code == 1
    assert "holds passwords" in listed.json["channels"][0]["last_error"]
    assert listed.json["told_by_none"] == ["officer", "team-leader", "supervisor"]


def test_a_secret_stands_in_no_log_no_settings_and_no_error(
    post: Post, forward: Callable[[], Service]
) -> None:
    post.channels(f"json://dock:{_SECRET}@127.0.0.1:1/{_SECRET}", f"nothing://{_SECRET}")
    post.tell(*post.open(matter()))
    service = forward()
    post.wait("attempts > 0", 2)
    said = [post.dock.run("config", "show"), post.dock.run("alerts", "channels")]
    post.station.catalogue.conn.commit()
    assert service.stop() == 128 + signal.SIGTERM
    for text in (service.log(), *(done.out + done.err for done in said)):
        assert _SECRET not in text
    kept = [path.read_bytes() for path in post.dock.state.rglob("*") if path.is_file()]
    assert _SECRET.encode() not in b"".join(kept)


@pytest.mark.parametrize(
    "channel",
    [
        {"name": "a", "url": f"mailto://u:{_SECRET}@example.org"},
        {"name": "a", "url_variable": f"mailto://u:{_SECRET}@example.org"},
        {"name": "a", "url_file": f"mailto://u:{_SECRET}@example.org"},
        {"name": "a", "url": f"mailto://{_SECRET}", "url_file": "/x"},
        f"mailto://u:{_SECRET}@example.org",
    ],
    ids=["url", "variable", "file", "two", "text"],
)
def test_a_secret_in_the_wrong_place_is_refused_and_not_repeated(
    channel: object, dock: Dock
) -> None:
    dock.configure(alerts={"channels": [channel]})
    done = dock.run("config", "check", "--json")
    assert done.code == 2
    assert "alerts.channels.0" in done.err
    assert _SECRET not in done.out + done.err


def test_a_kill_between_sending_and_noting_sends_again_under_the_same_number(
    post: Post, web: Webs, forward: Callable[[], Service]
) -> None:
    server = web()
    post.channels(server.address)
    post.tell(*post.open(matter()))
    service: list[Service] = []

    def kill(handler: Handler) -> None:
        until(lambda: bool(service), "the service")
        service[0].process.kill()
        service[0].process.wait()
        ok(handler)

    server.reply = kill
    service.append(forward())
    server.wait_for(1)
    until(lambda: service[0].process.poll() is not None, "its end")
    assert post.rows()[0]["delivered_at"] is None
    server.reply = ok
    forward()
    post.wait("delivered_at is not null")
    first, second = (text.splitlines()[-1] for text in server.texts)
    assert first == second


def test_a_reload_takes_up_channels_and_has_failed_ones_tried_at_once(
    post: Post, web: Webs, forward: Callable[[], Service], tmp_path: Path
) -> None:
    server = web()
    post.channels("json://127.0.0.1:1")
    post.tell(*post.open(matter()))
    post.station.catalogue.execute("update messages set attempts = 9")
    post.station.catalogue.conn.commit()
    service = forward()
    post.wait("attempts = 10")
    (tmp_path / "address-0").write_text(server.address)
    service.process.send_signal(signal.SIGHUP)
    server.wait_for(1)


def test_every_change_of_an_alert_is_a_line_in_the_journal(
    post: Post, forward: Callable[[], Service]
) -> None:
    before, during = matter("before"), matter("during", device="0031")
    post.channels()
    (first,) = post.open(before)
    service = forward()
    until(lambda: "event=alert" in service.log(), "what stands at the start")
    (second,) = post.open(during)
    until(lambda: f"number={second} " in service.log(), "a new one")
    assert post.dock.run("alerts", "ack", str(second)).code == 0
    until(lambda: "state=acknowledged" in service.log(), "that somebody is on it")
    assert post.dock.run("alerts", "resolve", str(first), "--note", "done").code == 0
    until(lambda: "state=resolved" in service.log(), "that it is resolved")
    lines = [line for line in service.log().splitlines() if "event=alert" in line]
    assert len(lines) == 4
    assert "device=0031" in lines[1]
    assert "kind=outstanding" in lines[1]
    assert "severity=warning" in lines[1]


def test_a_message_of_the_command_is_json_and_nothing_else(post: Post, web: Webs) -> None:
    post.channels(web().address)
    done = post.dock.run("alerts", "test", "--json")
    assert list(json.loads(done.out)["channels"][0]) == ["name", "delivered", "why", "seconds"]
