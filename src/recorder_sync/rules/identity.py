"""Which number a recording gets, and which device a card belongs to.

A recording's id names its content and its device, so sealing the same thing twice
gives the same id: a crash at any moment cannot make two of one.
"""

import base64
from collections.abc import Iterable

from blake3 import blake3

from recorder_sync.model import Claim, Identity, IdentityState
from recorder_sync.rules.tagging import decide

ID_LENGTH = 13
"""Characters of five bits each: 65 bits, enough for billions of recordings."""

_ID_BYTES = 10
"""Bytes of a digest that make 16 such characters."""


def recording_id(device: str, blake3_hex: str, *, whole: bool = True) -> str:
    """Return the id of the content with this BLAKE3 digest from this device.

    A salvage copy, which is not `whole`, never gets the id of a recording.
    """
    what = "recording" if whole else "salvage"
    digest = blake3(f"recorder-sync {what}\0{device}\0{blake3_hex}".encode()).digest()
    return base64.b32encode(digest[:_ID_BYTES]).decode().lower()[:ID_LENGTH]


def is_same_device(device: str | None, devices: frozenset[str | None]) -> bool:
    """Tell whether a device may be one of those a recording belongs to.

    None, a device that nobody names, may be any.
    """
    return device is None or None in devices or device in devices


def identify(claims: Iterable[Claim], registered: Iterable[str]) -> Identity:
    """Say which device a card belongs to.

    `claims` are what the person, the identity files and the file names say;
    `registered` are the device numbers in the ledger.
    """
    distinct = tuple(dict.fromkeys(claims))
    tag = decide(distinct)
    if tag is None:
        return Identity(None, None, IdentityState.UNKNOWN)
    if tag.in_conflict:
        state = IdentityState.CONFLICT
    elif tag.value in set(registered):
        state = IdentityState.KNOWN
    else:
        state = IdentityState.UNKNOWN
    return Identity(tag.value, tag.source, state, distinct)
