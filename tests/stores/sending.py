"""Objects to be stored, and a course that keeps what it was told."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from blake3 import blake3

from recorder_sync.language import T
from recorder_sync.model import Digests
from recorder_sync.stores.store import Outgoing, SourceChanged, Store, StoreProblem, Trouble


def content(size: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size)


def outgoing(data: bytes, key: str = "dock-01/0031/2026/11/25/093000_01_a.mp4") -> Outgoing:
    return Outgoing(key, len(data), Digests(blake3(data).hexdigest(), "0" * 64))


@dataclass
class Bytes:
    """A source in memory."""

    data: bytes
    at: int = 0
    is_changed: bool = False

    def read(self, size: int) -> bytes:
        chunk = self.data[self.at : self.at + size]
        self.at += len(chunk)
        if not chunk and self.is_changed:
            raise SourceChanged(T("It is not as it was sealed."))
        return chunk


@dataclass
class Noted:
    """A course that counts."""

    arrived: int = 0
    resume: str | None = None
    after: Callable[[int], None] = field(default=lambda _: None)

    def note(self, resume: str) -> None:
        self.resume = resume

    def sent(self, size: int) -> None:
        self.arrived += size
        self.after(self.arrived)


def send(store: Store, data: bytes, item: Outgoing | None = None) -> None:
    store.send(item or outgoing(data), lambda: Bytes(data), Noted())


def stored(store: Store, item: Outgoing) -> bytes:
    return b"".join(store.read(item.key))


def trouble_of(problem: StoreProblem) -> Trouble:
    return problem.trouble
