"""Checkpoints go out as messages, whole, and nobody learns an address from it."""

import email
import email.policy
import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message

from tests.conftest import Dock
from tests.ingest.aftermath import until
from tests.witnessing.conftest import (
    Answers,
    Forward,
    add_entries,
    alerted,
    alerts,
    checkpoint,
)

_PASSWORD = "geheim-4711"


class Letters(Message):
    """What a mail server has received."""

    def __init__(self) -> None:
        super().__init__()
        self.received: list[str] = []

    def handle_message(self, message: email.message.Message) -> None:
        whole = email.message_from_bytes(message.as_bytes(), policy=email.policy.default)
        part = whole.get_body(("plain",))
        assert part is not None, "a note that is HTML only cannot be checked"
        self.received.append(part.get_content())


@pytest.fixture
def letters() -> Iterator[tuple[Letters, str]]:
    """A mail server; its address for the file of addresses stands beside it."""
    handler = Letters()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield handler, f"mailto://127.0.0.1:{port}?from=dock@example.org&to=a@example.org"
    finally:
        controller.stop()


def addresses(tmp_path: Path, *lines: str, mode: int = 0o640) -> str:
    path = tmp_path / "addresses"
    path.write_text("".join(f"{line}\n" for line in ("# our addresses", "", *lines)))
    path.chmod(mode)
    return str(path)


def test_a_checkpoint_comes_by_mail_and_checks_the_log_from_there(
    signed: Dock, forward: Forward, letters: tuple[Letters, str], tmp_path: Path
) -> None:
    handler, address = letters
    forward(channels_file=addresses(tmp_path, address))
    (letter,) = until(lambda: handler.received, "a mail")
    kept = tmp_path / "mail.txt"
    kept.write_text(letter, "utf-8", newline="\r\n")
    done = signed.run("custody", "verify", "--against", kept, "--json")
    assert done.code == 0, done.err
    assert done.json["elsewhere"] == 2, "the one beside the evidence, and that of the mail"
    assert signed.run("custody", "verify", "--against", signed.config).code == 2


def test_a_message_comes_to_each_address_once_for_each_checkpoint(
    signed: Dock, forward: Forward, answering: Answers, tmp_path: Path
) -> None:
    first, second = (answering(lambda _: (200, "text/plain", b"")) for _ in range(2))
    urls = [server.url.replace("http", "json", 1) for server in (first, second)]
    note = checkpoint(signed).strip()
    service = forward(channels_file=addresses(tmp_path, *urls))
    until(lambda: service.log().count("event=delivered") == 2, "both are on record")
    for server in (first, second):
        assert note in json.loads(server.received[0])["message"]
    service.stop()
    again = forward(channels_file=addresses(tmp_path, *urls))
    again.says("delivering")
    add_entries(signed, "0004")
    newest = checkpoint(signed).strip()
    until(lambda: len(first.received) == 2, "the next one")
    assert newest in json.loads(first.received[1])["message"], "not the first one again"
    assert alerts(signed) == []


def test_an_address_gets_no_more_messages_than_the_settings_say(
    signed: Dock, forward: Forward, answering: Answers, tmp_path: Path
) -> None:
    """The second address shows that the new checkpoint was delivered meanwhile."""
    seldom = answering(lambda _: (200, "text/plain", b""))
    often = answering(lambda _: (200, "text/plain", b""))
    url = seldom.url.replace("http", "json", 1)
    service = forward(channels_file=addresses(tmp_path, url), message_every_hours=24)
    service.says("event=delivered")
    service.stop()
    add_entries(signed, "0004")
    checkpoint(signed)
    both = addresses(tmp_path, url, often.url.replace("http", "json", 1))
    forward(channels_file=both, message_every_hours=24)
    until(lambda: often.received, "a message")
    assert len(seldom.received) == 1


def test_an_address_that_fails_is_told_by_its_line_and_no_secret_is(
    signed: Dock, forward: Forward, letters: tuple[Letters, str], tmp_path: Path
) -> None:
    handler, good = letters
    bad = f"json://user:{_PASSWORD}@127.0.0.1:1/{_PASSWORD}"
    service = forward(channels_file=addresses(tmp_path, bad, f"nothing://{_PASSWORD}", good))
    until(lambda: handler.received, "the good one")
    alerted(signed, "line 3")
    alerted(signed, "line 4")
    service.stop()
    assert _PASSWORD not in service.log()
    assert _PASSWORD not in "".join(alerts(signed))
    names = [path.name for path in (signed.state / "custody" / "witnessed").iterdir()]
    assert _PASSWORD not in "".join(names)


def test_a_file_of_addresses_that_everybody_may_read_is_not_used(
    signed: Dock, forward: Forward, letters: tuple[Letters, str], tmp_path: Path
) -> None:
    handler, address = letters
    service = forward(channels_file=addresses(tmp_path, address, mode=0o644))
    alerted(signed, "holds passwords")
    assert handler.received == []
    addresses(tmp_path, address)
    service.process.send_signal(signal.SIGHUP)
    until(lambda: handler.received, "a mail, now that others may not read the file")
