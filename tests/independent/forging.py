"""What somebody with root, a key, or a pen could write: logs, notes and proofs made by hand.

Nothing here uses the program or the check; it follows docs/custody-format.md.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ORIGIN = "recorder-sync/forged"


def segment(custody: Path) -> Path:
    (path,) = custody.glob("*.jsonl")
    return path


def line_of(value: Any) -> bytes:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def leaf(line: bytes) -> bytes:
    return hashlib.sha256(b"\0" + line).digest()


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def chained(entries: Sequence[bytes | dict[str, Any]]) -> list[bytes]:
    """Return entries of which each follows the one before."""
    previous, lines = "0" * 64, []
    for number, entry in enumerate(entries):
        fields = entry if isinstance(entry, dict) else json.loads(entry)
        line = line_of({**fields, "seq": number, "prev": previous})
        lines.append(line)
        previous = leaf(line).hex()
    return lines


def entry(act: str = "view", **fields: Any) -> dict[str, Any]:
    return {
        "station": "forged",
        "time": "2026-11-23T08:00:00.000Z",
        "actor": "os:root",
        "act": act,
        "subject": "x",
        "facts": {},
        **fields,
    }


def root(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962, 2.1."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256().digest()
    half = _half(len(leaves))
    return node(root(leaves[:half]), root(leaves[half:]))


def path(number: int, leaves: Sequence[bytes]) -> list[bytes]:
    """RFC 6962, 2.1.1."""
    if len(leaves) == 1:
        return []
    half = _half(len(leaves))
    if number < half:
        return [*path(number, leaves[:half]), root(leaves[half:])]
    return [*path(number - half, leaves[half:]), root(leaves[:half])]


def consistency(old: int, leaves: Sequence[bytes], whole: bool = True) -> list[bytes]:
    """RFC 6962, 2.1.2."""
    if old == len(leaves):
        return [] if whole else [root(leaves)]
    half = _half(len(leaves))
    if old <= half:
        return [*consistency(old, leaves[:half], whole), root(leaves[half:])]
    return [*consistency(old - half, leaves[half:], False), root(leaves[:half])]


def _half(count: int) -> int:
    half = 1
    while half * 2 < count:
        half *= 2
    return half


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


class Pen:
    """A name and a key that signs whatever it likes."""

    def __init__(self, name: str = ORIGIN, kind: int = 1) -> None:
        self.name, self.kind = name, kind
        self._key = Ed25519PrivateKey.generate()
        self._public = bytes([kind]) + self._key.public_key().public_bytes_raw()
        self._id = hashlib.sha256(name.encode() + b"\n" + self._public).digest()[:4]
        self.vkey = f"{name}+{self._id.hex()}+{encoded(self._public)}"

    def sign(self, text: str) -> str:
        return encoded(self._key.sign(text.encode()))

    def line(self, text: str) -> str:
        return f"— {self.name} {encoded(self._id + self._key.sign(text.encode()))}\n"

    def cosigned(self, text: str, at: int) -> str:
        signature = self._key.sign(f"cosignature/v1\ntime {at}\n{text}".encode())
        return f"— {self.name} {encoded(self._id + at.to_bytes(8, 'big') + signature)}\n"


def body(leaves: Sequence[bytes], origin: str = ORIGIN) -> str:
    return f"{origin}\n{len(leaves)}\n{encoded(root(leaves))}\n"


def note(leaves: Sequence[bytes], *pens: Pen) -> str:
    text = body(leaves)
    return text + "\n" + "".join(pen.line(text) for pen in pens)


def rotation(old: Pen, new: Pen, origin: str = ORIGIN, **changes: Any) -> dict[str, Any]:
    text = f"recorder-sync key rotation\n{origin}\n{old.vkey}\n{new.vkey}\n"
    facts = {
        "old": old.vkey,
        "new": new.vkey,
        "old_signature": old.sign(text),
        "new_signature": new.sign(text),
        **changes,
    }
    return entry("key-rotated", subject=origin, facts=facts)


def write_log(folder: Path, lines: Sequence[bytes], verifier: Pen) -> Path:
    folder.mkdir()
    (folder / "checkpoints").mkdir()
    (folder / f"{0:020d}.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    (folder / "verifier-key").write_text(verifier.vkey + "\n")
    return folder


def keep(folder: Path, text: str, where: str = "checkpoints") -> Path:
    size = int(text.split("\n")[1])
    (folder / where).mkdir(exist_ok=True)
    file = folder / where / f"{size:020d}"
    file.write_text(text, "utf-8")
    return file
