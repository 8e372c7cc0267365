"""Checkpoints: what the log was at one size, signed, in a form that any C2SP verifier reads.

    recorder-sync/dock-01            origin: whose log
    1024                             entries
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
                                     (an empty line)
    — recorder-sync/dock-01 Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/...

https://c2sp.org/tlog-checkpoint, https://c2sp.org/signed-note
"""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

_ED25519 = b"\x01"
_DASH = "— "


@dataclass(frozen=True, slots=True)
class Checkpoint:
    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The text that is signed, its newline included."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class Verifier:
    """A name and a public key, as a C2SP verifier key writes them."""

    name: str
    key: bytes

    @classmethod
    def parse(cls, text: str) -> "Verifier":
        """Read `name+hash+key`. Raises ValueError."""
        try:
            name, number, encoded = text.strip().split("+", 2)
            data = base64.b64decode(encoded, validate=True)
        except (ValueError, binascii.Error):
            raise ValueError("it is no verifier key") from None
        found = cls(name, data[1:])
        if data[:1] != _ED25519 or len(data) != 33 or found.key_id.hex() != number.lower():
            raise ValueError("it is no Ed25519 verifier key, or was changed")
        return found

    @property
    def key_id(self) -> bytes:
        """Four bytes that tell which key signed."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.key).digest()[:4]

    def __str__(self) -> str:
        encoded = base64.b64encode(_ED25519 + self.key).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"

    def vouches_for(self, text: str, signature: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.key).verify(signature, text.encode())
        except (InvalidSignature, ValueError):
            return False
        return True


class Signer:
    """A name and a private key."""

    def __init__(self, name: str, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.verifier = Verifier(name, key.public_key().public_bytes_raw())

    def sign(self, text: str) -> bytes:
        """Return the bare signature of a text."""
        return self._key.sign(text.encode())

    def signed(self, checkpoint: Checkpoint) -> str:
        """Return the signed note."""
        return signed_by([self], checkpoint)


def signed_by(signers: Sequence[Signer], checkpoint: Checkpoint) -> str:
    """Return the note with a signature of each."""
    note = f"{checkpoint.text}\n"
    for signer in signers:
        signature = signer.verifier.key_id + signer.sign(checkpoint.text)
        note += f"{_DASH}{signer.verifier.name} {base64.b64encode(signature).decode()}\n"
    return note


def opened(note: str, verifiers: Sequence[Verifier]) -> Checkpoint:
    """Return the checkpoint of a signed note that one of the verifiers vouches for.

    Signatures of others are passed over. Raises ValueError, saying what is wrong.
    """
    text, signatures = _parts(note)
    known = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
    vouched = False
    for line in signatures.splitlines():
        name, _, encoded = line.removeprefix(_DASH).rpartition(" ")
        try:
            data = base64.b64decode(encoded, validate=True)
        except (ValueError, binascii.Error):
            raise ValueError("a signature of it cannot be read") from None
        if not line.startswith(_DASH) or not name or len(data) <= 4:
            raise ValueError("a signature of it cannot be read")
        verifier = known.get((name, data[:4]))
        if verifier is not None and not verifier.vouches_for(text, data[4:]):
            raise ValueError(f"the signature of {name} is false")
        vouched |= verifier is not None
    if not vouched:
        raise ValueError("nobody who is known has signed it")
    return _parsed(text)


def claimed(note: str) -> Checkpoint:
    """Return what a note says, whoever signed it: to learn whose signature it needs.

    Raises ValueError.
    """
    return _parsed(_parts(note)[0])


def _parts(note: str) -> tuple[str, str]:
    text, separator, signatures = note.rpartition("\n\n")
    if not separator:
        raise ValueError("it is no signed note")
    return f"{text}\n", signatures


def _parsed(text: str) -> Checkpoint:
    origin, size, root, *_ = [*text.split("\n"), "", "", ""]
    try:
        found = Checkpoint(origin, int(size), base64.b64decode(root, validate=True))
    except (ValueError, binascii.Error):
        raise ValueError("it is no checkpoint") from None
    if not origin or len(found.root) != 32 or str(found.size) != size or found.size < 0:
        raise ValueError("it is no checkpoint")
    return found
