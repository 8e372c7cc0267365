"""A witness cosigns what extends the log that it saw, and nothing else (C2SP tlog-witness)."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.custody import merkle
from recorder_sync.custody.checkpoint import Checkpoint, Signer
from recorder_sync.custody.witness import Answer, Refused, Request, accepted

_ORIGIN = "recorder-sync/test"
_STATION = Signer(_ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(32)))
_STRANGER = Signer(_ORIGIN, Ed25519PrivateKey.from_private_bytes(b"s" * 32))


class Log:
    """A log of numbered entries; `fork` gives another content from that entry on."""

    def __init__(self, fork: int | None = None) -> None:
        self._fork = fork

    def node(self, level: int, number: int) -> bytes:
        if level:
            left = self.node(level - 1, 2 * number)
            return merkle.node(left, self.node(level - 1, 2 * number + 1))
        other = self._fork is not None and number >= self._fork
        return hashlib.sha256(b"\0%d%d" % (number, other)).digest()

    def checkpoint(self, size: int) -> Checkpoint:
        return Checkpoint(_ORIGIN, size, merkle.root(size, self.node))

    def request(self, old: int, size: int, signer: Signer = _STATION) -> Request:
        proof = merkle.consistency(old, size, self.node) if old else []
        return Request(old, tuple(proof), signer.signed(self.checkpoint(size)))


def asked(request: Request, seen: Checkpoint | None) -> Checkpoint:
    trusted = {_ORIGIN: [_STATION.verifier]}
    parsed = Request.parse(request.body)
    assert parsed == request
    return accepted(parsed, trusted, {} if seen is None else {_ORIGIN: seen})


def refusal(request: Request, seen: Checkpoint | None) -> Refused:
    with pytest.raises(Refused) as caught:
        asked(request, seen)
    return caught.value


@given(old=st.integers(0, 40), more=st.integers(0, 40))
def test_a_log_that_grew_is_cosigned(old: int, more: int) -> None:
    log = Log()
    seen = log.checkpoint(old) if old else None
    assert asked(log.request(old, old + more), seen) == log.checkpoint(old + more)


@given(old=st.integers(1, 40), more=st.integers(0, 40), data=st.data())
def test_a_log_that_was_rewritten_is_refused(old: int, more: int, data: st.DataObject) -> None:
    fork = Log(data.draw(st.integers(0, old - 1)))
    refused = refusal(fork.request(old, old + more), Log().checkpoint(old))
    assert refused.answer is (Answer.INCONSISTENT if more else Answer.CONFLICT)


@given(old=st.integers(1, 40), more=st.integers(1, 40), asked_from=st.integers(0, 80))
def test_a_witness_says_what_it_has_seen(old: int, more: int, asked_from: int) -> None:
    size = max(old + more, asked_from)
    if asked_from == old:
        return
    refused = refusal(Log().request(asked_from, size), Log().checkpoint(old))
    assert (refused.answer, refused.size) == (Answer.CONFLICT, old)


def test_a_log_that_is_shorter_is_refused() -> None:
    refused = refusal(Log().request(5, 5), Log().checkpoint(9))
    assert (refused.answer, refused.size) == (Answer.CONFLICT, 9)


def test_who_is_not_known_is_told_so() -> None:
    assert refusal(Log().request(0, 5, _STRANGER), None).answer is Answer.UNKNOWN_KEY
    other = Signer("another/log", Ed25519PrivateKey.from_private_bytes(bytes(32)))
    note = other.signed(Checkpoint("another/log", 1, bytes(32)))
    assert refusal(Request(0, (), note), None).answer is Answer.UNKNOWN_LOG


def test_a_proof_where_none_belongs_is_rubbish() -> None:
    request = Request(0, (bytes(32),), Log().request(0, 5).note)
    assert refusal(request, None).answer is Answer.RUBBISH


@given(body=st.text())
def test_no_body_ends_in_anything_but_a_refusal(body: str) -> None:
    for text in (body, f"old 0\n\n{body}", f"old 3\n{body}\n\n{Log().request(0, 5).note}"):
        with pytest.raises(Refused):
            accepted(Request.parse(text), {_ORIGIN: [_STATION.verifier]}, {})
