"""Cosignatures are those of C2SP tlog-cosignature, and vouch for one note at one time."""

import base64
import hashlib
import tracemalloc
from datetime import UTC, datetime
from itertools import chain, repeat

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.custody.checkpoint import Checkpoint, Signer, Verifier, opened
from recorder_sync.custody.cosignature import (
    Cosigner,
    WitnessKey,
    cosignatures,
    signature_lines,
    text_of,
    with_lines,
)
from recorder_sync.custody.notes import notes_in, notes_in_lines, size_of

_TIME = datetime(2026, 11, 23, 10, 0, 7, tzinfo=UTC)
_STATION = Signer("recorder-sync/test", Ed25519PrivateKey.from_private_bytes(bytes(32)))
_WITNESS = Cosigner("office-b", Ed25519PrivateKey.from_private_bytes(b"w" * 32))
_NOTE = _STATION.signed(Checkpoint("recorder-sync/test", 7, bytes(32)))


def cosigned(note: str = _NOTE) -> str:
    return with_lines(note, [_WITNESS.cosignature(text_of(note), _TIME)])


def test_a_cosignature_is_what_the_standard_says() -> None:
    """https://c2sp.org/tlog-cosignature, by hand."""
    dash, name, encoded = signature_lines(cosigned())[1].split(" ")
    data = base64.b64decode(encoded)
    key = _WITNESS.witness.key
    assert (dash, name, len(data)) == ("—", "office-b", 4 + 8 + 64)
    assert data[:4] == hashlib.sha256(b"office-b\n\x04" + key).digest()[:4]
    assert int.from_bytes(data[4:12], "big") == int(_TIME.timestamp())
    message = f"cosignature/v1\ntime {int(_TIME.timestamp())}\n{text_of(_NOTE)}"
    Ed25519PublicKey.from_public_bytes(key).verify(data[12:], message.encode())
    assert str(_WITNESS.witness) == (
        f"office-b+{data[:4].hex()}+{base64.b64encode(bytes([4]) + key).decode()}"
    )


def test_the_standards_example_is_read_as_of_another_witness() -> None:
    """The example of tlog-cosignature; its witness's key is not published there."""
    note = (
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
        "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5"
        "/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
        "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJs"
        "X3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
    )
    assert cosignatures(text_of(note), signature_lines(note), [_WITNESS.witness]) == []
    assert notes_in(note) == [note]
    time = base64.b64decode(signature_lines(note)[1].rpartition(" ")[2])[4:12]
    assert int.from_bytes(time, "big") == 1679315147


def test_a_cosigned_note_is_still_the_stations_note() -> None:
    assert opened(cosigned(), [_STATION.verifier]).size == 7
    (found,) = cosignatures(text_of(_NOTE), signature_lines(cosigned()), [_WITNESS.witness])
    assert (found.witness.name, found.time) == ("office-b", _TIME)


def test_the_same_line_is_added_once() -> None:
    assert with_lines(cosigned(), signature_lines(cosigned())) == cosigned()


@given(at=st.integers(0, 75), bit=st.integers(0, 7))
def test_a_changed_cosignature_vouches_for_nothing(at: int, bit: int) -> None:
    name, _, encoded = signature_lines(cosigned())[1].rpartition(" ")
    data = bytearray(base64.b64decode(encoded))
    data[at] ^= 1 << bit
    line = f"{name} {base64.b64encode(bytes(data)).decode()}"
    try:
        assert cosignatures(text_of(_NOTE), [line], [_WITNESS.witness]) == []
        assert at < 4, "the line names our witness, and was let through"
    except ValueError as error:
        assert "false" in str(error)  # noqa: PT017 - either way is right


def test_a_cosignature_of_another_note_is_false() -> None:
    other = _STATION.signed(Checkpoint("recorder-sync/test", 8, bytes(32)))
    with pytest.raises(ValueError, match="false"):
        cosignatures(text_of(other), signature_lines(cosigned()), [_WITNESS.witness])


def test_the_key_of_a_log_is_no_key_of_a_witness() -> None:
    with pytest.raises(ValueError, match="witness"):
        WitnessKey.parse(str(_STATION.verifier))
    with pytest.raises(ValueError, match="verifier key"):
        Verifier.parse(str(_WITNESS.witness))
    assert WitnessKey.parse(f" {_WITNESS.witness}\n") == _WITNESS.witness


@pytest.mark.parametrize("between", ["", "\n", "\r\n", "torn: recorder-sync/te\n"])
def test_notes_are_found_in_what_a_mail_program_made_of_them(between: str) -> None:
    text = f"Subject: x\n\nKeep this.\n\n{_NOTE}{between}{cosigned()}-- \nOffice\n"
    assert notes_in(text) == [_NOTE, cosigned()]
    assert notes_in(text.replace("\n", "\r\n")) == [_NOTE, cosigned()]
    quoted = "".join(f"> {line}\n" for line in text.splitlines())
    assert notes_in(quoted) == [_NOTE, cosigned()]
    assert notes_in(text.replace("\n", "  \n")) == [_NOTE, cosigned()]


@pytest.mark.parametrize("gap", ["", "\n"])
def test_a_torn_note_is_passed_over_and_hides_no_other(gap: str) -> None:
    """A stick was pulled while it was written to, after any of the bytes."""
    data = cosigned().encode()
    for cut in range(1, len(data)):
        torn = data[:cut].decode("utf-8", "replace")
        found = notes_in(f"{torn}\n{gap}{_NOTE}")
        assert found[-1] == _NOTE, cut
        assert all(opened(note, [_STATION.verifier]).size == 7 for note in found), cut


@given(text=st.text())
def test_any_text_can_be_searched_for_notes(text: str) -> None:
    for note in notes_in(text):
        assert size_of(note) >= 0


def test_a_file_of_many_notes_takes_no_more_memory_than_one_note() -> None:
    """Read line by line, as from a stick that somebody has filled with notes, or with rubbish."""
    note = cosigned().split("\n")[:-1]
    rubbish = ["", "rubbish" * 10, "— "] * 20_000
    tracemalloc.start()
    many = chain.from_iterable(repeat(note, 3000))
    count = sum(1 for _ in notes_in_lines(chain(many, rubbish, note)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 3001
    assert peak < 3 << 20


@pytest.mark.parametrize("before", ["x" * 300_000, "x\n" * 300_000, "\n" * 300_000, "> " * 99_999])
def test_a_note_after_much_that_is_none_is_found(before: str) -> None:
    assert notes_in(f"{before}\n{_NOTE}") == [_NOTE]
