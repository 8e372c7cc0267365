"""Only what a store shows counts: one that lies, forgets or ignores locks confirms nothing."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from blake3 import blake3

from recorder_sync.catalogue.copies import Proof
from recorder_sync.forward.confirmation import Confirmed, confirm
from recorder_sync.model import Digests
from recorder_sync.stores.store import (
    NO_LOCK,
    Check,
    Course,
    Lock,
    LockMode,
    Outgoing,
    Receipt,
    Source,
    Stored,
    StoreIdentity,
    StoreProblem,
    Trouble,
    Unfinished,
)

CONTENT = b"evidence" * 100
DIGESTS = Digests(blake3(CONTENT).hexdigest(), hashlib.sha256(CONTENT).hexdigest())
UNTIL = datetime(2030, 1, 1, tzinfo=UTC)


class Shelf:
    """A store that says and gives back what it is told to, as a server out of order would."""

    name = "shelf"

    def __init__(self, said: Stored | None, content: bytes = CONTENT, *, locks: bool = True):
        self.said = said
        self.content = content
        self.locks = locks
        self.was_read = 0

    def finds_out(self, item: Outgoing) -> bool:
        raise AssertionError("nothing is sent here")

    def look(self, key: str, version: str | None = None) -> Stored | None:
        return self.said

    def read(self, key: str, version: str | None = None) -> Iterator[bytes]:
        self.was_read += 1
        yield self.content[:100]
        yield self.content[100:]

    def lock(self, key: str, version: str | None, lock: Lock) -> None:
        assert self.said is not None
        if self.locks:
            self.said = replace(self.said, lock=lock)

    def check(self, now: datetime) -> Iterator[Check]:
        yield from ()

    def identity(self) -> StoreIdentity:
        return StoreIdentity("shelf", {})

    def bind(self, station: str) -> StoreIdentity:
        return self.identity()

    def send(self, item: Outgoing, source: Callable[[], Source], course: Course) -> Receipt:
        return Receipt()

    def keys(self, prefix: str = "") -> Iterator[str]:
        yield from ()

    def unfinished(self) -> Iterator[Unfinished]:
        yield from ()

    def abandon(self, one: Unfinished) -> None: ...

    def close(self) -> None: ...


def asked(
    shelf: Shelf, lock: Lock = NO_LOCK, sent: dict[str, str] | None = None, *, picked: bool = True
) -> Confirmed | None:
    item = Outgoing("key", len(CONTENT), DIGESTS, lock)
    return confirm(shelf, item, None, sent or {}, lambda: picked, lambda: None)


def said(size: int = len(CONTENT), **checksums: str) -> Stored:
    return Stored("key", size, checksums=checksums)


def test_a_store_that_has_nothing_confirms_nothing() -> None:
    assert asked(Shelf(None)) is None


def test_a_checksum_of_the_stores_own_proves_it_and_nothing_is_read() -> None:
    shelf = Shelf(said(sha256=DIGESTS.sha256.upper()))
    found = asked(shelf)
    assert found is not None
    assert found.proof is Proof.CHECKSUM
    assert shelf.was_read == 0


def test_a_checksum_that_only_the_sending_computed_proves_it_when_it_was_just_sent() -> None:
    found = asked(Shelf(said(crc64nvme="0f")), sent={"crc64nvme": "0F"})
    assert found is not None
    assert found.proof is Proof.CHECKSUM
    found = asked(Shelf(said(crc64nvme="0f")))
    assert found is not None
    assert found.proof is Proof.READ_BACK, "later nothing is known of it"


def test_without_a_checksum_it_is_read_back_or_only_its_size_is_known() -> None:
    found = asked(Shelf(said()))
    assert found is not None
    assert found.proof is Proof.READ_BACK
    shelf = Shelf(said())
    found = asked(shelf, picked=False)
    assert found is not None
    assert found.proof is Proof.SIZE
    assert shelf.was_read == 0


@pytest.mark.parametrize(
    "shelf",
    [
        Shelf(said(size=7)),
        Shelf(said(sha256="00" * 32)),
        Shelf(said(blake3="00" * 32)),
        Shelf(said(), CONTENT[:-1] + b"X"),
        Shelf(said(), CONTENT[:-1]),
        Shelf(said(), CONTENT + b"X"),
    ],
    ids=["size", "sha256", "blake3", "other bytes", "fewer bytes", "more bytes"],
)
def test_a_store_that_has_something_else_is_found_out(shelf: Shelf) -> None:
    with pytest.raises(StoreProblem) as caught:
        asked(shelf)
    assert caught.value.trouble is Trouble.OBJECT


def test_a_checksum_of_what_was_sent_that_differs_is_found_out() -> None:
    with pytest.raises(StoreProblem):
        asked(Shelf(said(crc64nvme="0f")), sent={"crc64nvme": "10"})


def test_a_lock_that_is_missing_or_too_weak_is_set_and_believed_only_when_seen() -> None:
    wanted = Lock(LockMode.COMPLIANCE, UNTIL, hold=True)
    weak = replace(said(), lock=Lock(LockMode.GOVERNANCE, UNTIL - timedelta(days=1)))
    found = asked(Shelf(weak), wanted)
    assert found is not None
    assert found.stored.lock.covers(wanted)
    with pytest.raises(StoreProblem) as caught:
        asked(Shelf(weak, locks=False), wanted)
    assert caught.value.trouble is Trouble.REFUSED, "the whole store is not to be trusted"
