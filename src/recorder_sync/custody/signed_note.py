"""What a C2SP signed note and a verifier key are made of, for the log's keys and witnesses' alike.

    NAME+IDENTIFIER+BASE64      a verifier key: the base64 is of the kind's byte and the key
    — NAME BASE64               a signature line: the base64 begins with the key's id

The kind's byte tells a log's own signature (0x01) from a witness's cosignature (0x04). Pure.
https://c2sp.org/signed-note
"""

import base64
import binascii
import hashlib

from recorder_sync.custody.unfit import Unfit
from recorder_sync.language import T

KEY_ID = 4
"""Bytes that tell which key signed."""

_DASH = "— "
_KEY = 32


def key_id(kind: bytes, name: str, key: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + kind + key).digest()[:KEY_ID]


def key_text(kind: bytes, name: str, key: bytes) -> str:
    """Return the verifier key, one line without its end."""
    encoded = base64.b64encode(kind + key).decode()
    return f"{name}+{key_id(kind, name, key).hex()}+{encoded}"


def parsed_key(text: str, kind: bytes) -> tuple[str, bytes] | None:
    """Return name and key of a verifier key; None when it is of another kind or was changed.

    Raises Unfit for what is no verifier key.
    """
    try:
        name, number, encoded = text.strip().split("+", 2)
        data = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error):
        raise Unfit(T("it is no verifier key")) from None
    key = data[1:]
    if data[:1] != kind or len(key) != _KEY or key_id(kind, name, key).hex() != number.lower():
        return None
    return name, key


def parts(note: str) -> tuple[str, str]:
    """Return what is signed of a note, its last newline included, and its signature lines.

    Raises Unfit.
    """
    text, separator, signatures = note.rpartition("\n\n")
    if not separator:
        raise Unfit(T("it is no signed note"))
    return f"{text}\n", signatures


def signature_line(name: str, data: bytes) -> str:
    """Return the line, without its end, that holds a key's id and what it signed."""
    return f"{_DASH}{name} {base64.b64encode(data).decode()}"


def signature_in(line: str) -> tuple[str, bytes]:
    """Return whose signature a line says to be, and its bytes, the key's id first.

    Raises Unfit.
    """
    name, _, encoded = line.removeprefix(_DASH).rpartition(" ")
    try:
        data = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error):
        raise Unfit(T("a signature of it cannot be read")) from None
    if not line.startswith(_DASH) or not name or len(data) <= KEY_ID:
        raise Unfit(T("a signature of it cannot be read"))
    return name, data
