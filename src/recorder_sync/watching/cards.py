"""Cards: what is on them and not in, what vanished from them, what numbers are missing.

What is being taken in just now is not outstanding; an intake that lasts for more than an
hour is slow enough for somebody to know. The files of a held device are nobody's business
before it is registered, so it counts as one thing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlite_utils.db import Database

from recorder_sync.catalogue import device_events, ledger
from recorder_sync.catalogue import not_in as catalogue
from recorder_sync.catalogue.not_in import NotIn
from recorder_sync.language import T
from recorder_sync.model import AlertKind
from recorder_sync.rules.matter import Matter
from recorder_sync.rules.naming import Field, NameFacts, read_name
from recorder_sync.rules.outstanding import Outstanding, Why, outstanding_recordings
from recorder_sync.rules.recorded_time import modified_at
from recorder_sync.rules.sequence import (
    File,
    Inventory,
    Listed,
    counted,
    deleted_before_ingest,
    sequence_holes,
)
from recorder_sync.rules.whereabouts import holder_at
from recorder_sync.station import Station
from recorder_sync.watching.deferrals import Deferrals
from recorder_sync.watching.kept import NO_DEVICE, Kept
from recorder_sync.watching.source import Look, Undecided
from recorder_sync.watching.unconfirmed import Unconfirmed

UNDER_WAY = timedelta(hours=1)
"""An intake that lasts longer is no reason any more not to be told."""


class NotInYet:
    """Recordings that are not stored, near or past their limit (Art. 21)."""

    name = "outstanding"
    what = T("Recordings that are not stored")
    kinds = frozenset({AlertKind.OUTSTANDING})

    def __init__(self, deferrals: Deferrals) -> None:
        self._deferrals = deferrals
        self._kept = Kept(waiting)
        self._unconfirmed = Unconfirmed()

    def facts(self, look: Look) -> list[Outstanding]:
        """Return everything that is outstanding now."""
        self._kept.refresh(look)
        here = [
            one
            for of_device in self._kept
            for one in of_device
            if not one.underway or look.now - one.seen_at > UNDER_WAY
        ]
        return here + self._unconfirmed.facts(look)

    def matters(self, look: Look) -> Iterator[Matter | Undecided]:
        facts = self.facts(look)
        deferrals = self._deferrals.now(look.station)
        yield from outstanding_recordings(facts, deferrals, look.now, look.limits)
        self._kept.raise_failure()


def waiting(look: Look, device: str) -> tuple[Outstanding, ...]:
    """Read what of a device is not in."""
    station, number = look.station, device or None
    db = station.catalogue
    held = catalogue.held(db, number)
    listed = catalogue.not_in(db, number)
    if not held and not listed:
        return ()
    found = [
        Outstanding(
            name=one.port or one.source,
            why=Why.HELD,
            seen_at=one.since,
            mtime=one.since,
            docking=one.docking,
            device=number,
        )
        for one in held
    ]
    return (*found, *_with_holders(db, number, [_waiting(station, one, number) for one in listed]))


def _waiting(station: Station, one: NotIn, device: str | None) -> Outstanding:
    settings = station.settings
    name = read_name(one.path, settings.known_profiles)
    mtime = modified_at(one.mtime_ns, name.profile.mtime_clock, settings.station.zone)
    return Outstanding(
        name=one.path.shown or "/",
        why=_why(one),
        seen_at=one.listed_at,
        mtime=one.listed_at if one.is_unseen else mtime,
        docking=one.docking,
        device=device,
        officer=_claimed(name, Field.OFFICER),
        case=_claimed(name, Field.CASE),
        underway=not one.intake_ended,
    )


def _why(one: NotIn) -> Why:
    if one.is_salvaged:
        return Why.DAMAGED
    return Why.FAILED if one.has_failed else Why.INTERRUPTED


def _claimed(name: NameFacts, which: Field) -> str | None:
    claim = name.claims.get(which)
    return claim.value if claim else None


def _with_holders(
    db: Database, device: str | None, found: Sequence[Outstanding]
) -> Iterator[Outstanding]:
    """Yield what is on a card of a device, with who had it when it recorded where no name tells.

    Known by the device's issues, else by its entry in the ledger.
    """
    entry = ledger.device(db, device) if device else None
    times = [_recorded_at(one) for one in found if one.officer is None]
    held = device_events.holdings_about(db, device, times) if device and times else []
    for one in found:
        if one.officer is not None:
            yield one
        elif held:
            holding = holder_at(held, _recorded_at(one))
            yield replace(one, officer=holding.officer if holding else None)
        else:
            yield replace(one, officer=entry.officer if entry else None)


def _recorded_at(one: Outstanding) -> datetime:
    return min(one.mtime, one.seen_at)


def numbers(look: Look, device: str) -> list[Matter]:
    """Return the holes in a device's numbers."""
    if device == NO_DEVICE:
        return []
    profiles = look.station.settings.known_profiles
    listed = (
        Listed(device, number, at)
        for path, at in catalogue.first_listings(look.station.catalogue, device)
        if (number := counted(path, profiles)) is not None
    )
    return list(sequence_holes(listed))


def deleted(look: Look, device: str) -> list[Matter]:
    """Return what vanished from a device's cards before it was sealed.

    What was sealed is no matter wherever it is, so only the files that are not in are held
    against each other.
    """
    db = look.station.catalogue
    unsealed: dict[str, set[File]] = {}
    for one in catalogue.not_in(db, device) if device else ():
        if not one.is_unseen:
            file = File(one.path.shown, one.size, one.mtime_ns)
            unsealed.setdefault(one.docking, set()).add(file)
    if not unsealed:
        return []
    inventories = (
        Inventory(
            docking=one.docking,
            card=one.card,
            taken_at=one.taken_at,
            files=frozenset(unsealed.get(one.docking, ())),
            device=device,
        )
        for one in catalogue.whole_inventories(db, device)
    )
    return list(deleted_before_ingest(inventories, frozenset()))
