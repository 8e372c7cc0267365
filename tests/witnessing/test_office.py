"""A second machine cosigns: over HTTP and with files, and forgets nothing."""

import http.client
import os
import signal
import socket
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from recorder_sync.custody.cosignature import cosignatures, text_of
from tests.conftest import Dock
from tests.witnessing.conftest import Office, add_entries, checkpoint, witnessed


def post(
    office: Office, body: bytes, path: str = "/add-checkpoint", **headers: str
) -> tuple[int, str, str]:
    """Return status, content type and body of the answer."""
    host = office.url.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=20)
    try:
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.headers.get_content_type(), answer.read().decode()
    finally:
        connection.close()


def request(dock: Dock, since: int = 0) -> bytes:
    done = dock.run("custody", "request", "--since", str(since))
    assert done.code == 0, done.err
    return done.out.encode()


@pytest.fixture
def known(signed: Dock, office: Office) -> Dock:
    """A station with a log that the witness trusts."""
    office.trust(signed)
    return signed


def test_nobody_else_may_read_the_key_of_a_witness_and_it_stays(office: Office) -> None:
    assert stat.S_IMODE((office.folder / "witness-key.pem").stat().st_mode) == 0o600
    assert office.run().out.startswith(f"{office.key}\n")
    assert office.run("--name", "another name").code == 2
    assert str(office.key) in office.run("--name", "later").out


def test_a_witness_needs_a_folder_and_no_configuration(known: Dock, office: Office) -> None:
    assert "recorder-sync/test" in office.run().out


def test_a_witness_cosigns_over_http(known: Dock, office: Office) -> None:
    office.listen()
    status, _, answer = post(office, request(known))
    assert status == 200
    text = text_of(checkpoint(known))
    assert cosignatures(text, answer.splitlines(), [office.key])
    assert [text_of(note) for note in office.seen()] == [text]


def test_a_witness_refuses_with_the_status_that_the_protocol_names(
    known: Dock, office: Office, tmp_path: Path
) -> None:
    office.listen()
    first = request(known)
    assert post(office, first)[0] == 200
    add_entries(known, "0004")
    assert post(office, request(known)) == (409, "text/x.tlog.size", "3\n")
    broken = request(known, 3).replace(b"\n", b"\n" + b"A" * 43 + b"=\n", 1)
    assert post(office, broken)[0] == 422
    assert post(office, first.replace(b"/test", b"/tset"))[0] == 404
    assert post(office, first.replace(b"\n3\n", b"\n2\n"))[0] == 403
    assert post(office, b"")[0] == 400
    assert post(office, b"\xff\n")[0] == 400
    assert post(office, first, "/add-other")[0] == 404
    assert post(office, bytes(70_000))[0] == 413
    assert post(office, request(known, 3), "/prefix/add-checkpoint")[0] == 200


@pytest.mark.long
def test_a_body_without_end_is_not_waited_for_and_others_are_answered(
    known: Dock, office: Office
) -> None:
    office.listen()
    host, _, port = office.url.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port))) as silent:
        silent.sendall(b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 60\r\n\r\nold 0\n")
        assert post(office, request(known))[0] == 200
        silent.settimeout(40)
        assert silent.recv(1 << 12) == b"", "it says nothing, and closes the line"


def test_a_witness_remembers_over_a_kill_and_a_station_that_was_put_back_is_refused(
    known: Dock, office: Office
) -> None:
    earlier = request(known)
    add_entries(known, "0004", "0005")
    office.listen()
    assert post(office, request(known))[0] == 200
    assert office.process is not None
    office.process.kill()
    office.process.wait()
    office.listen()
    assert post(office, earlier) == (409, "text/x.tlog.size", "5\n")


def test_a_witness_that_cannot_read_what_it_saw_cosigns_nothing(
    known: Dock, office: Office
) -> None:
    office.listen()
    assert post(office, request(known))[0] == 200
    (seen,) = (office.folder / "seen").iterdir()
    seen.write_text(seen.read_text("utf-8").replace("\n3\n", "\n2\n"), "utf-8")
    assert post(office, request(known, 3))[0] == 500
    seen.write_bytes(b"")
    assert post(office, request(known))[0] == 500


def test_of_requests_at_one_time_none_rolls_a_witness_back(known: Dock, office: Office) -> None:
    """The race that the protocol warns of: both are checked before one is kept."""
    bodies = [request(known)]
    for number in range(4, 8):
        add_entries(known, f"{number:04d}")
        bodies.append(request(known))
    office.listen()
    with ThreadPoolExecutor(len(bodies)) as pool:
        answers = list(pool.map(lambda body: post(office, body), bodies))
    assert sorted(status for status, _, _ in answers) == [200, 409, 409, 409, 409]
    (winner,) = (body for body, answer in zip(bodies, answers, strict=True) if answer[0] == 200)
    (note,) = office.seen()
    assert winner.decode().partition("\n\n")[2] in note


def test_a_witness_stops_when_it_is_told(known: Dock, office: Office) -> None:
    office.listen()
    assert office.process is not None
    office.process.send_signal(signal.SIGTERM)
    assert office.process.wait(20) == 128 + signal.SIGTERM


def test_a_witness_without_network_is_asked_with_files(
    known: Dock, office: Office, tmp_path: Path
) -> None:
    known.configure(witness={"servers": [office.server() | {"url": "http://127.0.0.1:1"}]})
    stick = tmp_path / "stick"
    stick.mkdir()
    assert known.run("custody", "request", "--to", stick / "request").code == 0
    done = office.run(stick / "request")
    assert done.code == 0, done.err
    (stick / "answer").write_text(done.out, "utf-8")
    assert known.run("custody", "cosigned", stick / "answer").code == 0
    (note,) = witnessed(known)
    assert done.out in note.read_text("utf-8")
    add_entries(known, "0004")
    again = office.run("-", say=known.run("custody", "request").out)
    assert again.code == 0, "the station knows what this witness has seen"


def test_an_offline_witness_says_from_where_it_has_to_be_asked(known: Dock, office: Office) -> None:
    assert office.run("-", say=request(known).decode()).code == 0
    add_entries(known, "0004")
    refused = office.run("-", say=request(known).decode())
    assert refused.code == 1
    assert "--since 3" in refused.err
    assert office.run("-", say=request(known, 3).decode()).code == 0


def test_an_answer_of_nobody_or_of_another_note_is_not_taken_in(
    known: Dock, office: Office, tmp_path: Path
) -> None:
    answer = tmp_path / "answer"
    answer.write_text(office.run("-", say=request(known).decode()).out, "utf-8")
    assert known.run("custody", "cosigned", answer).code == 1
    assert known.run("custody", "cosigned", answer, "--key", "x+y+z").code == 2
    forged = bytearray(answer.read_bytes())
    forged[-10] ^= 1
    (tmp_path / "forged").write_bytes(forged)
    done = known.run("custody", "cosigned", tmp_path / "forged", "--key", str(office.key))
    assert done.code == 1, done.err
    assert witnessed(known) == []
    assert known.run("custody", "cosigned", answer, "--key", str(office.key)).code == 0
    assert len(witnessed(known)) == 1


def test_an_address_that_cannot_be_listened_to_is_named(office: Office) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = office.run("--listen", f"127.0.0.1:{taken.getsockname()[1]}")
    assert done.code == 3
    assert "→" in done.err
    assert office.run("--listen", "nowhere").code == 2


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, office: Office) -> None:
    os.rename(office.folder / "seen", office.folder / "sehen")
    (office.folder / "seen").write_bytes(b"")
    done = office.run()
    assert done.code == 3
    assert str(office.folder) in done.err
