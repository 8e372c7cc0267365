"""Does a store have what was sent to it? Only what the store says when it is asked counts.

A copy is confirmed when the store names the right size, shows by a checksum of its own, or
by giving the bytes back, that they are the sealed ones, and keeps the lock that was asked
for. A store that keeps no checksum is read back at a rate that the settings set.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from blake3 import blake3

from recorder_sync.catalogue.copies import Proof
from recorder_sync.language import T, Text
from recorder_sync.model import Digests
from recorder_sync.stores.store import (
    CopyDiffers,
    Course,
    Outgoing,
    Source,
    Store,
    Stored,
    StoreProblem,
    Trouble,
)


@dataclass(frozen=True, slots=True)
class Confirmed:
    stored: Stored
    proof: Proof


def bring(
    store: Store,
    item: Outgoing,
    source: Callable[[], Source],
    course: Course,
    is_picked: Callable[[], bool],
    check: Callable[[], None],
    *,
    look_first: bool,
) -> Confirmed:
    """Have an object at the store: with `look_first`, it is sent only where it is not there.

    Raises what `send` raises.
    """
    check()
    asks = look_first and not store.finds_out(item)
    there = store.look(item.key) if asks else None
    if there is not None and can_be_compared(item, there):
        # It is not known what of it was sent, so nothing less than all proves it.
        found = confirm(store, item, None, {}, lambda: True, check)
        if found is not None:
            return found
    return send(store, item, source, course, is_picked, check)


def send(
    store: Store,
    item: Outgoing,
    source: Callable[[], Source],
    course: Course,
    is_picked: Callable[[], bool],
    check: Callable[[], None],
) -> Confirmed:
    """Send an object, and have the store say that it has it.

    Raises what `Store.send`, `confirm` and `source` raise, and StoreProblem where the store has
    it not.
    """
    sent = store.send(item, source, course)
    found = confirm(store, item, sent.version, sent.checksums, is_picked, check, sent.said)
    if found is None:
        raise StoreProblem(
            Trouble.OBJECT,
            T("{store}: it took {key}, and has it not.", store=store.name, key=item.key),
            T("It is tried again. If it stays so, the store is not to be trusted."),
        )
    return found


def confirm(
    store: Store,
    item: Outgoing,
    version: str | None,
    sent: Mapping[str, str],
    is_picked: Callable[[], bool],
    check: Callable[[], None],
    said: Stored | None = None,
) -> Confirmed | None:
    """Ask a store for an object that it should have; None: it has none.

    `said` is what it answered when it was asked after the sending; it is not asked twice.

    `sent` is what was computed of the bytes while they were sent, by algorithm; `is_picked`
    tells whether it is read back where no checksum proves it; `check` is called now and
    then and may raise. Raises StoreProblem where the store has something else, or does not
    keep the lock.
    """
    stored = said or store.look(item.key, version)
    if stored is None:
        return None
    if stored.size != item.size:
        raise _other(store, item, T("it has {size} bytes there", size=stored.size))
    if _is_proven(store, item, stored, sent):
        proof = Proof.CHECKSUM
    elif is_picked():
        _read_back(store, item, stored, check)
        proof = Proof.READ_BACK
    else:
        proof = Proof.SIZE
    return Confirmed(_locked(store, item, stored), proof)


def can_be_compared(item: Outgoing, stored: Stored) -> bool:
    """Tell whether the seal alone says if it is the same, or reading it back has to.

    Where the store names only checksums that are computed while sending, sending it again
    compares those of the source, and sends nothing where they are the same.
    """
    return not stored.checksums or bool(stored.checksums.keys() & _of(item.digests).keys())


def _is_proven(store: Store, item: Outgoing, stored: Stored, sent: Mapping[str, str]) -> bool:
    """Compare the store's own checksums with the seal, or with what was sent."""
    known = {**sent, **_of(item.digests)}
    compared = stored.checksums.keys() & known.keys()
    for name in compared:
        if stored.checksums[name].lower() != known[name].lower():
            raise _other(store, item, T("its {checksum} there is another", checksum=name))
    return bool(compared)


def _of(digests: Digests | None) -> dict[str, str]:
    return {"blake3": digests.blake3, "sha256": digests.sha256} if digests else {}


def _read_back(store: Store, item: Outgoing, stored: Stored, check: Callable[[], None]) -> None:
    assert item.digests is not None  # everything that is forwarded has them
    found, size = blake3(), 0
    for part in store.read(item.key, stored.version):
        check()
        found.update(part)
        size += len(part)
    if size != item.size or found.hexdigest() != item.digests.blake3:
        raise _other(store, item, T("what it gives back is not what was sealed"))


def _locked(store: Store, item: Outgoing, stored: Stored) -> Stored:
    """Have the lock set where the store does not have it; believe only what it says after."""
    if stored.lock.covers(item.lock):
        return stored
    store.lock(item.key, stored.version, item.lock)
    again = store.look(item.key, stored.version)
    if again is None or not again.lock.covers(item.lock):
        raise StoreProblem(
            Trouble.REFUSED,
            T("{store}: it does not keep {key} locked.", store=store.name, key=item.key),
            T("Run: recorder-sync stores check. A bucket needs Object Lock from its making."),
        )
    return again


def _other(store: Store, item: Outgoing, what: Text) -> CopyDiffers:
    hint = T(
        "It is left as it is. Find out why before the store is trusted: its disks, its memory."
    )
    return CopyDiffers(store.name, item.key, what, hint)
