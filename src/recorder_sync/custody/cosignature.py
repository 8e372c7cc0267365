"""Cosignatures: what somebody else signs who saw a log grow, beside the log's own signature.

    — office-b Co9xYAAAAABq…      name of the witness, base64 of key id, time and signature

A cosignature says that the witness, at that time, had seen no longer log of this origin,
and that this one begins with all that it saw before. The signed message is
`cosignature/v1`, `time` and the text of the note, so a cosignature can never be taken for
a log's own signature. Only the Ed25519 kind (0x04) is made and read.

https://c2sp.org/tlog-cosignature, https://c2sp.org/signed-note
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from recorder_sync.custody import signed_note
from recorder_sync.custody.unfit import Unfit
from recorder_sync.language import T

if TYPE_CHECKING:  # 6 MiB, for those who sign or verify
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_COSIGNATURE = b"\x04"
_ID, _TIME, _SIGNATURE = signed_note.KEY_ID, 8, 64
_NAME = re.compile(r"[^\s+]+")
_LATEST = 253_402_300_799
"""The last second of the year 9999."""


@dataclass(frozen=True, slots=True)
class WitnessKey:
    """A witness's name and public key, as a C2SP verifier key of type 0x04 writes them."""

    name: str
    key: bytes

    @classmethod
    def parse(cls, text: str) -> "WitnessKey":
        """Read `name+hash+key`. Raises Unfit."""
        found = signed_note.parsed_key(text, _COSIGNATURE)
        if found is None:
            raise Unfit(T("it is no Ed25519 verifier key of a witness, or was changed"))
        if not is_key_name(found[0]):
            raise Unfit(T("its name is empty, or has a space or a plus sign"))
        return cls(*found)

    @property
    def key_id(self) -> bytes:
        """Four bytes that tell which key signed."""
        return signed_note.key_id(_COSIGNATURE, self.name, self.key)

    def __str__(self) -> str:
        return signed_note.key_text(_COSIGNATURE, self.name, self.key)

    def cosigned(self, text: str, line: str) -> datetime | None:
        """Return when this witness signed `text` by this line; None when it is another's line.

        Raises Unfit when the line claims to be of this key and its signature is false.
        """
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        name, data = signed_note.signature_in(line)
        if (name, data[:_ID]) != (self.name, self.key_id):
            return None
        seconds = int.from_bytes(data[_ID : _ID + _TIME], "big")
        if len(data) != _ID + _TIME + _SIGNATURE or seconds > _LATEST:
            raise Unfit(T("the cosignature of {name} is false", name=self.name))
        try:
            public = Ed25519PublicKey.from_public_bytes(self.key)
            public.verify(data[_ID + _TIME :], _message(text, seconds))
        except (InvalidSignature, ValueError):
            raise Unfit(T("the cosignature of {name} is false", name=self.name)) from None
        return datetime.fromtimestamp(seconds, UTC)


@dataclass(frozen=True, slots=True)
class Cosignature:
    """A line of a note, who made it and when."""

    witness: WitnessKey
    time: datetime
    line: str


class Cosigner:
    """A witness's name and private key."""

    def __init__(self, name: str, key: "Ed25519PrivateKey") -> None:
        self._key = key
        self.witness = WitnessKey(name, key.public_key().public_bytes_raw())

    def cosignature(self, text: str, time: datetime) -> str:
        """Return the line, without its newline, that says so of a note's text."""
        seconds = int(time.timestamp())
        signature = self._key.sign(_message(text, seconds))
        data = self.witness.key_id + seconds.to_bytes(_TIME, "big") + signature
        return signed_note.signature_line(self.witness.name, data)


def is_key_name(name: str) -> bool:
    """Tell whether a key may have this name: not empty, without spaces or plus signs."""
    return _NAME.fullmatch(name) is not None


def text_of(note: str) -> str:
    """Return what is signed of a note, its last newline included. Raises Unfit."""
    return signed_note.parts(note)[0]


def signature_lines(note: str) -> list[str]:
    """Return the lines after a note's text. Raises Unfit."""
    return note[len(text_of(note)) + 1 :].split("\n")[:-1]


def cosignatures(
    text: str, lines: Iterable[str], witnesses: Sequence[WitnessKey]
) -> list[Cosignature]:
    """Return which of these witnesses vouch for the text; lines of others are passed over.

    Raises Unfit for a line that is none, and when one of theirs is false.
    """
    found = []
    for line in lines:
        for witness in witnesses:
            time = witness.cosigned(text, line)
            if time is not None:
                found.append(Cosignature(witness, time, line))
    return found


def with_lines(note: str, lines: Iterable[str]) -> str:
    """Return the note with these signature lines added, each once. Raises Unfit."""
    if not note.endswith("\n"):
        raise Unfit(T("its last line has no end"))
    has = signature_lines(note)
    new = [line for line in dict.fromkeys(lines) if line not in has]
    return note + "".join(f"{line}\n" for line in new)


def _message(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()
