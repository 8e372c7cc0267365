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
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from recorder_sync.custody import signed_note
from recorder_sync.custody.unfit import Unfit
from recorder_sync.language import T

if TYPE_CHECKING:  # 6 MiB, for those who sign or verify
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_ED25519 = b"\x01"


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
        """Read `name+hash+key`. Raises Unfit."""
        found = signed_note.parsed_key(text, _ED25519)
        if found is None:
            raise Unfit(T("it is no Ed25519 verifier key, or was changed"))
        return cls(*found)

    @property
    def key_id(self) -> bytes:
        """Four bytes that tell which key signed."""
        return signed_note.key_id(_ED25519, self.name, self.key)

    def __str__(self) -> str:
        return signed_note.key_text(_ED25519, self.name, self.key)

    def vouches_for(self, text: str, signature: bytes) -> bool:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            Ed25519PublicKey.from_public_bytes(self.key).verify(signature, text.encode())
        except (InvalidSignature, ValueError):
            return False
        return True


class Signer:
    """A name and a private key."""

    def __init__(self, name: str, key: "Ed25519PrivateKey") -> None:
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
        note += f"{signed_note.signature_line(signer.verifier.name, signature)}\n"
    return note


def opened(note: str, verifiers: Sequence[Verifier]) -> Checkpoint:
    """Return the checkpoint of a signed note that one of the verifiers vouches for.

    Signatures of others are passed over. Raises Unfit, saying what is wrong.
    """
    if not signers_of(note, verifiers):
        raise Unfit(T("nobody who is known has signed it"))
    return claimed(note)


def signers_of(note: str, verifiers: Sequence[Verifier]) -> list[Verifier]:
    """Return those of the verifiers who have signed a note, in their own order.

    Raises Unfit when one of their signatures is false, or a line is no signature.
    """
    text, signatures = signed_note.parts(note)
    known = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
    found = set()
    for line in signatures.splitlines():
        name, data = signed_note.signature_in(line)
        verifier = known.get((name, data[: signed_note.KEY_ID]))
        if verifier is None:
            continue
        if not verifier.vouches_for(text, data[signed_note.KEY_ID :]):
            raise Unfit(T("the signature of {name} is false", name=name))
        found.add(verifier)
    return [verifier for verifier in verifiers if verifier in found]


def claimed(note: str) -> Checkpoint:
    """Return what a note says, whoever signed it: to learn whose signature it needs.

    Raises Unfit.
    """
    return _parsed(signed_note.parts(note)[0])


def _parsed(text: str) -> Checkpoint:
    origin, size, root, *_ = [*text.split("\n"), "", "", ""]
    try:
        found = Checkpoint(origin, int(size), base64.b64decode(root, validate=True))
    except (ValueError, binascii.Error):
        raise Unfit(T("it is no checkpoint")) from None
    if not origin or len(found.root) != 32 or str(found.size) != size or found.size < 0:
        raise Unfit(T("it is no checkpoint"))
    return found
