"""The forward service delivers each checkpoint to every witness, whatever one of them does."""

import base64
import signal
from functools import partial

import pytest

from recorder_sync.custody.cosignature import cosignatures, signature_lines, text_of
from tests.conftest import Dock
from tests.ingest.aftermath import until
from tests.witnessing.conftest import (
    Answers,
    Forward,
    Office,
    Reply,
    add_entries,
    alerted,
    alerts,
    checkpoint,
    witnessed,
)


def test_art_5_a_checkpoint_is_cosigned_and_kept_as_one_note(
    signed: Dock, office: Office, forward: Forward
) -> None:
    office.trust(signed)
    office.listen()
    service = forward(servers=[office.server()])
    (path,) = until(lambda: witnessed(signed), "a cosigned note")
    note = path.read_text("utf-8")
    assert path.name == f"{3:020d}"
    assert note.startswith(checkpoint(signed))
    assert cosignatures(text_of(note), signature_lines(note), [office.key])
    add_entries(signed, "0004")
    checkpoint(signed)
    until(lambda: len(witnessed(signed)) == 2, "the next one, asked for from the last")
    assert service.stop() == 128 + signal.SIGTERM
    assert alerts(signed) == []
    verified = signed.run("custody", "verify", "--json")
    assert verified.json["elsewhere"] == 4, verified.err


def test_a_witness_that_was_asked_by_others_is_asked_from_where_it_is(
    signed: Dock, office: Office, forward: Forward
) -> None:
    """It answers 409 with its size; what the station knew of it is lost."""
    office.trust(signed)
    asked = office.run("-", say=signed.run("custody", "request").out)
    assert asked.code == 0
    add_entries(signed, "0004", "0005")
    checkpoint(signed)
    office.listen()
    forward(servers=[office.server()])
    (path,) = until(lambda: witnessed(signed), "a cosigned note")
    assert path.name == f"{5:020d}"


@pytest.mark.long
def test_a_witness_that_hangs_or_fails_holds_up_no_other(
    signed: Dock, office: Office, forward: Forward, answering: Answers
) -> None:
    hanging = answering(lambda _: None)
    failing = answering(lambda _: (500, "text/plain", b"no"))
    office.trust(signed)
    office.listen()
    service = forward(
        servers=[
            office.server(name="hangs", url=hanging.url),
            office.server(name="fails", url=failing.url),
            office.server(name="nobody", url="http://127.0.0.1:1"),
            office.server(),
        ]
    )
    until(lambda: witnessed(signed), "a cosigned note")
    assert "500" in alerted(signed, "fails")
    alerted(signed, "nobody")
    until(lambda: len(failing.received) >= 3, "it is tried again")
    assert len([text for text in alerts(signed) if "fails" in text]) == 1, "told once"
    assert "hangs" not in "".join(alerts(signed)), "it may still answer"
    assert service.stop() == 128 + signal.SIGTERM, "and the stop does not wait for it"


def test_a_witness_that_was_away_gets_the_newest_when_it_is_back(
    signed: Dock, office: Office, forward: Forward
) -> None:
    office.trust(signed)
    office.listen()
    url = office.url
    office.end()
    service = forward(servers=[office.server(url=url)], alert_after_minutes=60)
    service.says("not delivered")
    service.stop()
    assert alerts(signed) == [], "an hour is allowed"
    office.listen()
    add_entries(signed, "0004")
    checkpoint(signed)
    forward(servers=[office.server()])
    until(lambda: [p.name for p in witnessed(signed)] == [f"{4:020d}"], "the newest")


def test_a_station_that_the_witness_does_not_know_is_told_what_to_do(
    signed: Dock, office: Office, forward: Forward
) -> None:
    office.listen()
    forward(servers=[office.server()])
    alerted(signed, "does not know this station")
    found = signed.run("status", "--json").json["alerts"]
    assert "--trust" in found[0]["hint"]


def forged(body: bytes, office: Office) -> bytes:
    data = office.key.key_id + bytes(8) + bytes(64)
    return f"— office-b {base64.b64encode(data).decode()}\n".encode()


def test_a_forged_cosignature_is_refused(
    signed: Dock, office: Office, forward: Forward, answering: Answers
) -> None:
    server = answering(lambda body: (200, "text/plain", forged(body, office)))
    forward(servers=[office.server(url=server.url)])
    alerted(signed, "cosignature of office-b is false")
    assert witnessed(signed) == []


def saying(reply: Reply, _body: bytes) -> Reply:
    return reply


def test_what_is_no_answer_of_a_witness_is_refused(
    signed: Dock, office: Office, forward: Forward, answering: Answers
) -> None:
    answers = {
        "empty": (200, "text/plain", b""),
        "rubbish": (200, "text/plain", b"\xff\0\n\n"),
        "endless": (200, "text/plain", bytes(1 << 20)),
        "no size": (409, "text/plain", b"3\n"),
        "no number": (409, "text/x.tlog.size", b"three\n"),
        "elsewhere": (302, "text/plain", b""),
    }
    servers = [
        office.server(name=name.replace(" ", "-"), url=answering(partial(saying, reply)).url)
        for name, reply in answers.items()
    ]
    forward(servers=servers)
    for name in answers:
        alerted(signed, name.replace(" ", "-"))
    assert witnessed(signed) == []


def test_the_settings_of_witnesses_are_taken_up_while_the_service_runs(
    signed: Dock, office: Office, forward: Forward
) -> None:
    office.trust(signed)
    office.listen()
    service = forward()
    service.says("nobody")
    signed.configure(witness={"servers": [office.server()]}, ingest={"immutable": False})
    service.process.send_signal(signal.SIGHUP)
    until(lambda: witnessed(signed), "a cosigned note")
    signed.config.write_text("[station]\n", "utf-8")
    service.process.send_signal(signal.SIGHUP)
    service.says("configuration refused")
    assert service.stop() == 128 + signal.SIGTERM


def test_a_service_that_comes_before_the_first_checkpoint_makes_no_key(
    dock: Dock, office: Office, forward: Forward
) -> None:
    (dock.state / "custody" / "checkpoints").mkdir(parents=True)
    office.listen()
    service = forward(servers=[office.server()])
    service.says("no checkpoint yet")
    assert not (dock.state / "custody" / "signing-key.pem").exists()
    add_entries(dock, "0001")
    checkpoint(dock)
    office.trust(dock)
    until(lambda: witnessed(dock), "a cosigned note")


def test_a_station_whose_evidence_disk_may_only_be_read_can_deliver_and_alert(
    signed: Dock, office: Office, forward: Forward
) -> None:
    signed.evidence.rename(signed.evidence.with_name("elsewhere"))
    office.trust(signed)
    office.listen()
    forward(servers=[office.server(), office.server(name="nobody", url="http://127.0.0.1:1")])
    until(lambda: witnessed(signed), "a cosigned note")
    signed.evidence.with_name("elsewhere").rename(signed.evidence)
    alerted(signed, "nobody")
