"""What a witness is asked, and when it cosigns: C2SP tlog-witness, without I/O.

    old 20852014                                     entries that the witness has seen
    PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=     consistency proof (RFC 6962, 2.1.2)
                                                     (an empty line)
    recorder-sync/dock-01                            the signed note
    ...

A witness keeps the last checkpoint of each log and cosigns only what extends it. A log
that is shorter, was rewritten or was put back from a backup does not, and neither does
the second of two logs with one key. https://c2sp.org/tlog-witness
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from recorder_sync.custody import merkle
from recorder_sync.custody.checkpoint import Checkpoint, Verifier, opened, signers_of
from recorder_sync.custody.notes import origin_of, size_of
from recorder_sync.custody.rotation import Succession
from recorder_sync.custody.trust import decoded, vouched_by_any
from recorder_sync.custody.unfit import Unfit, reason
from recorder_sync.language import T, Text

LARGEST_REQUEST = 64 << 10
"""Bytes of a request; a proof has 63 hashes at most, a note a few signatures."""

_OTHER_LINE_ENDS = set("\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")
"""What Python's `splitlines` takes for the end of a line, and a note has none of."""

_MOST_PROOF_LINES = 63
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")


class Answer(IntEnum):
    """How a witness refuses, as an HTTP status."""

    RUBBISH = 400
    UNKNOWN_KEY = 403
    UNKNOWN_LOG = 404
    CONFLICT = 409
    INCONSISTENT = 422


class Refused(Exception):
    """The witness does not cosign."""

    def __init__(self, answer: Answer, text: Text, size: int | None = None) -> None:
        super().__init__(text.english)
        self.answer = answer
        self.text = text
        self.size = size
        """Entries that the witness has seen; with CONFLICT only."""


@dataclass(frozen=True, slots=True)
class Request:
    """A note to be cosigned, and the proof that it extends what the witness has seen."""

    old: int
    proof: tuple[bytes, ...]
    note: str

    @property
    def body(self) -> str:
        proof = "".join(f"{base64.b64encode(one).decode()}\n" for one in self.proof)
        return f"old {self.old}\n{proof}\n{self.note}"

    @classmethod
    def parse(cls, body: str) -> "Request":
        """Read a request. Raises Refused."""
        head, separator, note = body.partition("\n\n")
        first, *lines = head.split("\n")
        old = _OLD.fullmatch(first)
        try:
            proof = tuple(base64.b64decode(line, validate=True) for line in lines)
        except (ValueError, binascii.Error):
            raise _rubbish() from None
        # Without its last newline a cosignature would be glued to the station's signature.
        if not note.endswith("\n") or set(note) & _OTHER_LINE_ENDS:
            raise _rubbish()
        if not separator or old is None or len(proof) > _MOST_PROOF_LINES:
            raise _rubbish()
        if any(len(one) != 32 for one in proof):
            raise _rubbish()
        return cls(int(old[1]), proof, note)


def counting(trusted: Sequence[Verifier], seen: str | None) -> list[Verifier]:
    """Return whose signature counts for what a log shows next: any of them.

    `trusted` are the keys of one log in the order in which they were trusted, `seen` is the
    note that was cosigned last. A station signs with its next key only when it has given up
    those before: once the witness has seen a note with the signature of a later key, an
    earlier one alone vouches for nothing any more. Raises Unfit when the note is none.
    """
    signed = [] if seen is None else signers_of(seen, trusted)
    return list(trusted[trusted.index(signed[-1]) :] if signed else trusted)


def successor(
    document: Mapping[str, Any], counts: Sequence[Verifier], seen: Checkpoint | None
) -> Succession:
    """Return the keys from one that counts to the newest that a consistency file leads to.

    The file is to begin with what the witness has seen: so the rotations stand in the log
    that it has seen, and not in another that somebody made with a key that leaked. Raises
    ValueError, saying why the file does not lead to a key.
    """
    try:
        found = vouched_by_any(document["new"], document.get("rotations", []), counts)
        old = found.keys.opened(document["old"])
        proof = decoded(document["proof"])
    except (KeyError, TypeError, AttributeError) as error:
        raise Unfit(T("it is no proof of consistency: {why}", why=repr(error))) from None
    new = found.checkpoint
    if not merkle.extends(old.root, old.size, new.root, new.size, proof):
        raise Unfit(T("the new checkpoint's log does not begin with the old one's"))
    if seen is not None and (old.size, old.root) != (seen.size, seen.root):
        raise Unfit(
            T("it does not begin with the {size} entries that the witness has seen", size=seen.size)
        )
    if found.keys.newest in counts:
        raise Unfit(T("it leads to no other key than those that are trusted"))
    return found.keys


def accepted(
    request: Request, trusted: Mapping[str, Sequence[Verifier]], last: Mapping[str, Checkpoint]
) -> Checkpoint:
    """Return the checkpoint that may be cosigned, and is the last of its log from then on.

    `trusted` are the known keys by origin, `last` the last checkpoint that was cosigned by
    origin. Raises Refused.
    """
    try:
        origin, size = origin_of(request.note), size_of(request.note)
    except (ValueError, IndexError):
        raise _rubbish() from None
    verifiers = trusted.get(origin)
    if not verifiers:
        raise Refused(
            Answer.UNKNOWN_LOG, T("The witness does not know the log {origin}.", origin=origin)
        )
    try:
        checkpoint = opened(request.note, verifiers)
    except ValueError as error:
        raise Refused(
            Answer.UNKNOWN_KEY,
            T("No key that the witness trusts has signed this: {why}.", why=reason(error)),
        ) from None
    if request.old > size:
        raise _rubbish()
    seen = last.get(origin)
    _check_what_was_seen(request, checkpoint, seen)
    return checkpoint


def _check_what_was_seen(request: Request, new: Checkpoint, seen: Checkpoint | None) -> None:
    known = 0 if seen is None else seen.size
    if request.old != known:
        text = T(
            "The witness has seen {size} entries of this log, not {old}.",
            size=known,
            old=request.old,
        )
        raise Refused(Answer.CONFLICT, text, known)
    if seen is None or known == 0:
        if request.proof:
            raise _rubbish()
        return
    if new.size == known and new.root != seen.root:
        text = T(
            "The witness has seen another log with {size} entries: there are two logs of this "
            "name, or it was rewritten.",
            size=known,
        )
        raise Refused(Answer.CONFLICT, text, known)
    if not merkle.extends(seen.root, known, new.root, new.size, request.proof):
        raise Refused(
            Answer.INCONSISTENT,
            T(
                "The log does not begin with the {size} entries that the witness has seen: it was "
                "rewritten or put back from a backup, or there are two logs of this name.",
                size=known,
            ),
        )


def _rubbish() -> Refused:
    return Refused(Answer.RUBBISH, T("This is no request to a witness (C2SP tlog-witness)."))
