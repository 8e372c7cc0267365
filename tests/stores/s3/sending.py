"""Something to send, and a record of how it went."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from blake3 import blake3

from recorder_sync.language import T
from recorder_sync.model import Digests
from recorder_sync.stores.s3_sums import PART
from recorder_sync.stores.store import (
    NO_LOCK,
    Interrupted,
    Lock,
    LockMode,
    Outgoing,
    SourceChanged,
)

MIB = 1 << 20
PIECE = PART
_PATTERN = hashlib.shake_128(b"content").digest(MIB + 7)
KEY = "0001/2026/11/23/163000_a1b2_MOV_0001.mp4"


class Bytes:
    """A source in memory that may end as a file does that was changed, or when told to stop."""

    def __init__(self, data: bytes, stop_at: int | None = None, changed: bool = False) -> None:
        self._data, self._stop_at, self._changed = data, stop_at, changed
        self._at = 0

    def read(self, size: int) -> bytes:
        if self._stop_at is not None and self._at >= self._stop_at:
            raise Interrupted(T("stopped"))
        data = self._data[self._at : self._at + size]
        self._at += len(data)
        if self._changed and self._at >= len(self._data):
            raise SourceChanged(T("changed"))
        return data


class Record:
    """A course that remembers, as the catalogue does."""

    def __init__(self) -> None:
        self.resume: str | None = None
        self.arrived = 0

    def note(self, resume: str) -> None:
        self.resume = resume

    def sent(self, size: int) -> None:
        self.arrived += size


def content(size: int) -> bytes:
    """Bytes without a pattern that repeats at a part's length."""
    return (_PATTERN * (size // len(_PATTERN) + 1))[:size]


def outgoing(data: bytes, lock: Lock = NO_LOCK, key: str = KEY) -> Outgoing:
    digests = Digests(blake3(data).hexdigest(), hashlib.sha256(data).hexdigest())
    return Outgoing(key, len(data), digests, lock)


def source(data: bytes, **how: object) -> Callable[[], Bytes]:
    return lambda: Bytes(data, **how)  # type: ignore[arg-type]


def for_a_while(mode: LockMode = LockMode.COMPLIANCE, *, hold: bool = False) -> Lock:
    """A lock of some minutes: the server is gone before it ends."""
    return Lock(mode, datetime.now(UTC) + timedelta(minutes=30), hold)
