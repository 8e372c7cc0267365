"""A time-stamping authority, made with `openssl ts`, says when a checkpoint was there."""

import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from recorder_sync.errors import MissingPart
from recorder_sync.witnessing.timestamping import certificates_in, stamped_at
from tests.conftest import Dock
from tests.ingest.aftermath import until
from tests.inspection.furnished import verify_here
from tests.witnessing.conftest import (
    Answering,
    Answers,
    Forward,
    Reply,
    add_entries,
    alerted,
    alerts,
    checkpoint,
)

_SETTINGS = """
[req]
distinguished_name = name
prompt = no
[name]
CN = time
[root]
basicConstraints = critical, CA:TRUE
[tsa]
basicConstraints = critical, CA:FALSE
extendedKeyUsage = critical, timeStamping
[tsa_config]
serial = {folder}/serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1
"""


class Authority:
    """The openssl command as an authority: a root, and a certificate for time stamps."""

    def __init__(self, folder: Path) -> None:
        if shutil.which("openssl") is None:
            pytest.skip("openssl is not installed")
        folder.mkdir()
        self._folder = folder
        self.root = folder / "root.pem"
        self._config = folder / "openssl.cnf"
        self._config.write_text(_SETTINGS.format(folder=folder))
        new = ("req", "-config", "openssl.cnf", "-newkey", "ec", "-pkeyopt")
        curve = ("ec_paramgen_curve:prime256v1", "-nodes")
        self._openssl(
            *(*new, *curve, "-x509", "-extensions", "root", "-days", "30", "-subj", "/CN=root"),
            *("-keyout", "root.key", "-out", "root.pem"),
        )
        self._openssl(*(*new, *curve, "-subj", "/CN=tsa", "-keyout", "tsa.key", "-out", "tsa.csr"))
        self._openssl(
            *("x509", "-req", "-in", "tsa.csr", "-CA", "root.pem", "-CAkey", "root.key"),
            *("-CAcreateserial", "-extfile", "openssl.cnf", "-extensions", "tsa"),
            *("-days", "30", "-out", "tsa.pem"),
        )

    def _openssl(self, *arguments: str) -> None:
        command = ["openssl", *arguments]
        done = subprocess.run(command, cwd=self._folder, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr

    def reply(self, query: bytes) -> Reply:
        (self._folder / "query").write_bytes(query)
        self._openssl(
            *("ts", "-reply", "-config", "openssl.cnf", "-section", "tsa_config"),
            *("-signer", "tsa.pem", "-inkey", "tsa.key"),
            *("-queryfile", "query", "-out", "reply"),
        )
        return 200, "application/timestamp-reply", (self._folder / "reply").read_bytes()

    def query(self, *options: str) -> bytes:
        """Return a query about something else."""
        (self._folder / "other").write_bytes(b"something else")
        self._openssl("ts", "-query", "-data", "other", "-cert", *options, "-out", "own")
        return (self._folder / "own").read_bytes()

    def verifies(self, note: Path, response: Path) -> bool:
        command = ["openssl", "ts", "-verify", "-data", str(note), "-in", str(response)]
        done = subprocess.run(
            [*command, "-CAfile", str(self.root)], capture_output=True, check=False
        )
        return done.returncode == 0


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


def responses(dock: Dock) -> list[Path]:
    return sorted((dock.state / "custody" / "witnessed").glob("*.tsr"))


def test_art_5_a_checkpoint_is_stamped_and_openssl_agrees(
    signed: Dock, authority: Authority, answering: Answers, forward: Forward
) -> None:
    server = answering(authority.reply)
    forward(timestamp_url=server.url, timestamp_certificates=[str(authority.root)])
    (response,) = until(lambda: responses(signed), "a time stamp")
    note = signed.state / "custody" / "checkpoints" / response.stem
    assert authority.verifies(note, response)
    certificates = certificates_in([authority.root])
    text = note.read_text("utf-8")
    assert stamped_at(response.read_bytes(), text, certificates).year >= 2025
    with pytest.raises(ValueError, match="Mismatch"):
        stamped_at(response.read_bytes(), text.replace("3", "4"), certificates)
    add_entries(signed, "0004")
    checkpoint(signed)
    until(lambda: len(responses(signed)) == 2, "the next one")
    assert len(server.received) == 2
    assert alerts(signed) == []


def altered(change: str, authority: Authority) -> Callable[[bytes], Reply]:
    """Return an authority that answers wrongly."""

    def reply(query: bytes) -> Reply:
        status, kind, body = authority.reply(query)
        match change:
            case "rubbish":
                return status, kind, b"\x30\x82rubbish"
            case "nothing":
                return status, kind, b""
            case "refusal":
                return status, kind, bytes.fromhex("30053003020102")
            case "a changed byte":
                at = len(body) - 20
                return status, kind, body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
            case "something else stamped":
                return authority.reply(authority.query("-sha256"))
            case "no nonce":
                return authority.reply(authority.query("-sha256", "-no_nonce"))
        return 503, kind, body

    return reply


@pytest.mark.parametrize(
    "change",
    [
        *("rubbish", "nothing", "refusal", "a changed byte", "something else stamped"),
        *("no nonce", "a bad status"),
    ],
)
def test_an_answer_that_stamps_nothing_of_ours_is_refused(
    signed: Dock, authority: Authority, answering: Answers, forward: Forward, change: str
) -> None:
    server = answering(altered(change, authority))
    forward(timestamp_url=server.url, timestamp_certificates=[str(authority.root)])
    alerted(signed, "time-stamping authority")
    assert responses(signed) == []


def test_a_time_stamp_of_an_earlier_request_is_refused(
    signed: Dock, authority: Authority, answering: Answers, forward: Forward
) -> None:
    """The same note, and a nonce of before: somebody plays back what was there once."""
    recorded: list[Reply] = []

    def reply(query: bytes) -> Reply:
        if not recorded:
            recorded.append(authority.reply(query))
            return 503, "text/plain", b""
        return recorded[0]

    service = forward(
        timestamp_url=answering(reply).url, timestamp_certificates=[str(authority.root)]
    )
    service.says("Nonce")
    assert responses(signed) == []


def test_a_time_stamp_of_somebody_else_is_refused(
    signed: Dock, tmp_path: Path, answering: Answers, forward: Forward
) -> None:
    ours, other = Authority(tmp_path / "ours"), Authority(tmp_path / "theirs")
    server = answering(ours.reply)
    forward(timestamp_url=server.url, timestamp_certificates=[str(other.root)])
    alerted(signed, "time-stamping authority")
    assert responses(signed) == []


def test_certificates_that_cannot_be_read_are_named(
    signed: Dock, answering: Answers, forward: Forward, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")
    with pytest.raises(MissingPart, match="broken"):
        certificates_in([broken])
    server = answering(lambda _: (200, "text/plain", b""))
    forward(timestamp_url=server.url, timestamp_certificates=[str(broken)])
    alerted(signed, str(broken))
    assert server.received == []


def stamped(
    signed: Dock, authority: Authority, answering: Answers, forward: Forward
) -> tuple[Path, Answering]:
    """Have the checkpoint stamped; return the stamp, and the server that did it."""
    server = answering(authority.reply)
    service = forward(timestamp_url=server.url, timestamp_certificates=[str(authority.root)])
    (response,) = until(lambda: responses(signed), "a time stamp")
    assert service.stop() == 128 + signal.SIGTERM
    return response, server


def false_stamps(dock: Dock) -> dict[str, str]:
    found = verify_here(dock, bodies=False)
    return {f.path: f.text.english for f in found if f.kind.value == "timestamp-differs"}


def test_art_5_a_kept_time_stamp_is_checked_again_by_verification(
    signed: Dock, authority: Authority, answering: Answers, forward: Forward, tmp_path: Path
) -> None:
    response, _ = stamped(signed, authority, answering, forward)
    assert verify_here(signed, bodies=False) == []
    whole, path = response.read_bytes(), f"custody/witnessed/{response.name}"
    response.write_bytes(whole[:-20] + bytes([whole[-20] ^ 1]) + whole[-19:])
    assert set(false_stamps(signed)) == {path}, "its signature"
    response.write_bytes(authority.reply(authority.query("-sha256"))[2])
    assert set(false_stamps(signed)) == {path}, "it is of something else"
    other = Authority(tmp_path / "theirs")
    signed.configure(
        witness={"timestamp_url": "http://x", "timestamp_certificates": [str(other.root)]}
    )
    response.write_bytes(whole)
    assert set(false_stamps(signed)) == {path}, "another authority's"
    signed.configure()
    assert false_stamps(signed) == {}, "without certificates it is only for the checkpoint"
    response.write_bytes(authority.reply(authority.query("-sha256"))[2])
    assert false_stamps(signed) == {path: "it does not vouch for the checkpoint: "
                                          "it is of something else"}  # fmt: skip


@pytest.mark.parametrize("forged", ["nothing", "the stamp of another checkpoint"])
def test_a_forged_time_stamp_of_a_later_checkpoint_does_not_end_time_stamping(
    signed: Dock, authority: Authority, answering: Answers, forward: Forward, forged: str
) -> None:
    response, server = stamped(signed, authority, answering, forward)
    data = b"" if forged == "nothing" else response.read_bytes()
    response.with_name("9" * 20 + ".tsr").write_bytes(data)
    add_entries(signed, "0004")
    checkpoint(signed)
    (newest,) = set((signed.state / "custody" / "checkpoints").iterdir()) - {
        signed.state / "custody" / "checkpoints" / response.stem
    }
    in_its_place = response.with_name(f"{newest.name}.tsr")
    in_its_place.write_bytes(data)
    forward(timestamp_url=server.url, timestamp_certificates=[str(authority.root)])
    until(lambda: in_its_place.read_bytes() != data, "a time stamp of its own")
    assert authority.verifies(newest, in_its_place)
    kept_aside = in_its_place.with_name(f"{in_its_place.name}.false")
    assert kept_aside.read_bytes() == data
