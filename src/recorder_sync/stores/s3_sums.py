"""What an S3 store computes itself of the bytes it gets, computed here as well.

A modern store has CRC64NVME over the whole object, however it was sent. An old one has MD5:
of the object where it came in one piece, and else of the MD5 values of its parts. Neither
withstands a forger; they show that what arrived is what was read, and that was held against
the seal. Pure.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from awscrt import checksums

CRC = "crc64nvme"
MD5 = "md5"
MD5_OF_PARTS = "md5-of-parts"
"""MD5 over the MD5 values of the parts, a dash and their number: what ETag has then."""

PART = 5 << 20
"""Objects up to this size are sent in one piece, larger ones in parts of it."""
_MOST_PARTS = 9_000  # S3 has 10 000
_MIB = 1 << 20


class Checksum(StrEnum):
    """What a store verifies on arrival and keeps."""

    CRC64NVME = "crc64nvme"
    MD5 = "md5"


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
        if checksum is Checksum.CRC64NVME:
            value = checksums.crc64nvme(data).to_bytes(8, "big")
        else:
            value = hashlib.md5(data, usedforsecurity=False).digest()
        return cls(len(data), checksum, value)

    @property
    def fields(self) -> dict[str, str]:
        """Parameters of a request that carries these bytes."""
        value = base64.b64encode(self.value).decode()
        if self.checksum is Checksum.CRC64NVME:
            return {"ChecksumAlgorithm": "CRC64NVME", "ChecksumCRC64NVME": value}
        return {"ContentMD5": value}


class WholeSum:
    """The checksum of an object, from those of its parts in order."""

    def __init__(self, checksum: Checksum) -> None:
        self._checksum = checksum
        self._crc = 0
        self._parts: list[bytes] = []

    def add(self, part: PartSum) -> None:
        if self._checksum is Checksum.CRC64NVME:
            crc = int.from_bytes(part.value, "big")
            self._crc = checksums.combine_crc64nvme(self._crc, crc, part.size)
        self._parts.append(part.value)

    def found(self, *, in_parts: bool) -> dict[str, str]:
        """Return it as `Stored.checksums` has it."""
        if self._checksum is Checksum.CRC64NVME:
            return {CRC: f"{self._crc:016x}"}
        if not in_parts:
            return {MD5: self._parts[0].hex()}
        whole = hashlib.md5(b"".join(self._parts), usedforsecurity=False).hexdigest()
        return {MD5_OF_PARTS: f"{whole}-{len(self._parts)}"}


def crc_field(checksums_of_ours: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters by which a store is told the checksum of the whole object."""
    value = checksums_of_ours.get(CRC)
    if value is None:
        return {}
    encoded = base64.b64encode(bytes.fromhex(value)).decode()
    return {"ChecksumType": "FULL_OBJECT", "ChecksumCRC64NVME": encoded}


def kept_by(answer: Mapping[str, Any]) -> dict[str, str]:
    """Return the checksums over a whole object in a store's answer about it."""
    kept: dict[str, str] = {}
    if answer.get("ChecksumType", "FULL_OBJECT") == "FULL_OBJECT":
        for field, name in (("ChecksumCRC64NVME", CRC), ("ChecksumSHA256", "sha256")):
            if (value := answer.get(field)) and "-" not in value:
                kept[name] = base64.b64decode(value).hex()
    etag = str(answer.get("ETag", "")).strip('"')
    if not str(answer.get("ServerSideEncryption", "")).startswith("aws:kms"):
        digest, _, parts = etag.partition("-")
        if len(digest) == 32:
            kept[MD5_OF_PARTS if parts else MD5] = etag
    return kept


def agree(ours: Mapping[str, str], theirs: Mapping[str, str]) -> bool | None:
    """Tell whether checksums of two sides agree; None: they have none in common."""
    common = {
        name for name in ours.keys() & theirs.keys() if _parts(ours[name]) == _parts(theirs[name])
    }
    return all(ours[name] == theirs[name] for name in common) if common else None


def _parts(value: str) -> str:
    """Return of how many parts an MD5 is: of other parts it is another one."""
    return value.partition("-")[2]
