"""What an S3 store computes itself of the bytes it gets, computed here as well.

Some have BLAKE3: of an object in one piece it is that of the seal; in parts, it is taken of the
parts' BLAKE3, and withstands a forger as well. A modern store has CRC64NVME over the whole
object, however it was sent. An old one has MD5, in parts that of the parts' MD5. The last two
withstand no forger; they show that what arrived is what was read, and that was held against the
seal. Pure.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from blake3 import blake3

CRC = "crc64nvme"
MD5 = "md5"
MD5_OF_PARTS = "md5-of-parts"
"""MD5 over the MD5 values of the parts, a dash and their number: what ETag has then."""
BLAKE3 = "blake3"
BLAKE3_OF_PARTS = "blake3-of-parts"
"""BLAKE3 over the BLAKE3 values of the parts, a dash and their number."""

PART = 8 << 20
"""Objects up to this size are sent in one piece, larger ones in parts of it."""
_MOST_PARTS = 9_000  # S3 has 10 000
_MIB = 1 << 20


class Checksum(StrEnum):
    """What a store verifies on arrival and keeps."""

    BLAKE3 = "blake3"
    CRC64NVME = "crc64nvme"
    MD5 = "md5"

    @property
    def field(self) -> str | None:
        """The field of requests and answers that has it; None: it has none of its own."""
        return None if self is Checksum.MD5 else f"Checksum{self.upper()}"

    @property
    def of_parts(self) -> dict[str, str]:
        """Parameters of a request that begins an upload in parts."""
        if self is Checksum.MD5:
            return {}
        of = "FULL_OBJECT" if self is Checksum.CRC64NVME else "COMPOSITE"
        return {"ChecksumAlgorithm": self.upper(), "ChecksumType": of}


def part_size(size: int) -> int:
    """Return how large the parts of an object are: the same each time it is sent."""
    least = -(-size // _MOST_PARTS)
    return max(PART, -(-least // _MIB) * _MIB)


@dataclass(frozen=True, slots=True)
class PartSum:
    """What a store should find of one part, and the fields that have it verify that."""

    size: int
    checksum: Checksum
    value: bytes

    @classmethod
    def of(cls, data: bytes | memoryview, checksum: Checksum) -> "PartSum":
        if checksum is Checksum.BLAKE3:
            value = blake3(data).digest()
        elif checksum is Checksum.CRC64NVME:
            value = _crc().crc64nvme(data).to_bytes(8, "big")
        else:
            value = hashlib.md5(data, usedforsecurity=False).digest()
        return cls(len(data), checksum, value)

    @property
    def fields(self) -> dict[str, str]:
        """Parameters of a request that carries these bytes."""
        if self.checksum is Checksum.MD5:
            return {"ContentMD5": base64.b64encode(self.value).decode()}
        return {"ChecksumAlgorithm": self.checksum.upper(), **self.said}

    @property
    def said(self) -> dict[str, str]:
        """The field of this checksum, as a store and a list of parts have it; empty for MD5."""
        field = self.checksum.field
        return {field: base64.b64encode(self.value).decode()} if field else {}


class WholeSum:
    """The checksum of an object, from those of its parts in order."""

    def __init__(self, checksum: Checksum) -> None:
        self._checksum = checksum
        self._crc = 0
        self._parts: list[bytes] = []

    def add(self, part: PartSum) -> None:
        if self._checksum is Checksum.CRC64NVME:
            crc = int.from_bytes(part.value, "big")
            self._crc = _crc().combine_crc64nvme(self._crc, crc, part.size)
        self._parts.append(part.value)

    def found(self, *, in_parts: bool) -> dict[str, str]:
        """Return it as `Stored.checksums` has it."""
        if self._checksum is Checksum.CRC64NVME:
            return {CRC: f"{self._crc:016x}"}
        if not in_parts:
            return {str(self._checksum): self._parts[0].hex()}
        values = b"".join(self._parts)
        if self._checksum is Checksum.BLAKE3:
            return {BLAKE3_OF_PARTS: f"{blake3(values).hexdigest()}-{len(self._parts)}"}
        whole = hashlib.md5(values, usedforsecurity=False).hexdigest()
        return {MD5_OF_PARTS: f"{whole}-{len(self._parts)}"}


def whole_field(ours: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters by which a store is told the checksum of what it has in parts."""
    if CRC in ours:
        return {"ChecksumType": "FULL_OBJECT", "ChecksumCRC64NVME": _encoded(ours[CRC])}
    if BLAKE3_OF_PARTS in ours:
        value, _, parts = ours[BLAKE3_OF_PARTS].partition("-")
        return {"ChecksumType": "COMPOSITE", "ChecksumBLAKE3": f"{_encoded(value)}-{parts}"}
    return {}


def _crc() -> Any:
    """Return what computes CRC64NVME: 5 MiB of memory that a store with BLAKE3 does without."""
    from awscrt import checksums

    return checksums


def _encoded(value: str) -> str:
    return base64.b64encode(bytes.fromhex(value)).decode()


def _decoded(value: str) -> str:
    return base64.b64decode(value).hex()


def kept_by(answer: Mapping[str, Any]) -> dict[str, str]:
    """Return the checksums over a whole object in a store's answer about it."""
    kept: dict[str, str] = {}
    is_whole = answer.get("ChecksumType", "FULL_OBJECT") == "FULL_OBJECT"
    for field, name in _KEPT.items():
        value, dash, parts = str(answer.get(field, "")).partition("-")
        if value and not dash and is_whole:
            kept[name] = _decoded(value)
        elif dash and name == BLAKE3 and not is_whole:
            kept[BLAKE3_OF_PARTS] = f"{_decoded(value)}-{parts}"
    etag = str(answer.get("ETag", "")).strip('"')
    if not str(answer.get("ServerSideEncryption", "")).startswith("aws:kms"):
        digest, _, parts = etag.partition("-")
        if len(digest) == 32:
            kept[MD5_OF_PARTS if parts else MD5] = etag
    return kept


_KEPT = {"ChecksumBLAKE3": BLAKE3, "ChecksumCRC64NVME": CRC, "ChecksumSHA256": "sha256"}


def agree(ours: Mapping[str, str], theirs: Mapping[str, str]) -> bool | None:
    """Tell whether checksums of two sides agree; None: they have none in common."""
    common = {
        name for name in ours.keys() & theirs.keys() if _parts(ours[name]) == _parts(theirs[name])
    }
    return all(ours[name] == theirs[name] for name in common) if common else None


def _parts(value: str) -> str:
    """Return of how many parts a checksum is: of other parts it is another one."""
    return value.partition("-")[2]
