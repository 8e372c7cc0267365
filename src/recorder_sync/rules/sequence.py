"""Is anything missing from a card, or dated as it cannot be? (Art. 4, 27)

Many cameras number their files. A number that no docking ever listed, between numbers that
were, is a recording that nobody has seen. A counter starts again at the end of its digits,
so its numbers lie on a circle; the longest stretch of it that was never seen is what the
camera has not reached yet or what was before the first docking, and the others are holes.
That needs no dates, which a wrong device clock would spoil. The honest limit: a file that was
deleted at either end of what was seen leaves no hole, and formatting a card may begin anew.

A recording that one docking listed and a later one of the same card did not, before it was
sealed, was deleted. Dates before the device was in service or after its docking are wrong.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, pairwise

from recorder_sync.language import T
from recorder_sync.model import AlertKind, CardPath
from recorder_sync.rules.matter import Item, Matter, Severity, key_of
from recorder_sync.rules.naming import Profile
from recorder_sync.rules.watch_limits import USUAL, WatchLimits


@dataclass(frozen=True, slots=True)
class Counted:
    """What a file's name says of its camera's counter."""

    series: str
    """The counter's name, such as a prefix; a camera may have several."""
    number: int
    digits: int


def counted(path: CardPath, profiles: Sequence[Profile]) -> Counted | None:
    """Return the number in a name by the first profile that knows it; None: it has none.

    Named groups of the pattern: `counter` (digits) and `series`, which may be absent where
    the camera has one counter.
    """
    whole, name = path.text, path.name.text
    for profile in profiles:
        for pattern in profile.file_names:
            if match := pattern.fullmatch(whole if "/" in pattern.pattern else name):
                return _counted(match)
    return None


def _counted(match: re.Match[str]) -> Counted | None:
    groups = match.groupdict()
    digits = groups.get("counter") or ""
    if not (digits.isascii() and digits.isdigit()):
        return None
    return Counted((groups.get("series") or "").upper(), int(digits), len(digits))


@dataclass(frozen=True, slots=True)
class Listed:
    """A numbered file that an inventory of a device's card listed, whatever became of it."""

    device: str
    counted: Counted
    listed_at: datetime
    """By the station's clock."""


def sequence_holes(listed: Iterable[Listed]) -> Iterator[Matter]:
    """Yield a matter for each counter of a device with numbers that nobody has seen."""
    in_order = sorted(listed, key=_counter)
    for (device, series, digits), of_counter in groupby(in_order, key=_counter):
        first_seen: dict[int, datetime] = {}
        for one in of_counter:
            earlier = first_seen.get(one.counted.number, one.listed_at)
            first_seen[one.counted.number] = min(earlier, one.listed_at)
        found = _holes(first_seen, 10**digits)
        if not found:
            continue
        count = sum(hole.count for hole in found)
        yield Matter(
            kind=AlertKind.SEQUENCE_HOLE,
            key=key_of(AlertKind.SEQUENCE_HOLE, device, series, str(digits)),
            severity=Severity.WARNING,
            since=min(hole.since for hole in found),
            text=T(
                "{count} number(s) are missing between the recordings of device {device}.",
                count=count,
                device=device,
            ),
            hint=T("Ask the officer what was deleted, and note the answer."),
            device=device,
            count=count,
            items=tuple(Item(hole.named(series, digits), hole.since) for hole in found),
        )


def _counter(one: Listed) -> tuple[str, str, int]:
    return one.device, one.counted.series, one.counted.digits


@dataclass(frozen=True, slots=True)
class _Hole:
    numbers: tuple[int, ...]
    """The first and the last that is missing."""
    count: int
    since: datetime
    """When what lies on both sides of it had been seen."""

    def named(self, series: str, digits: int) -> str:
        return " - ".join(f"{series}{number:0{digits}}" for number in self.numbers)


def _holes(first_seen: Mapping[int, datetime], size: int) -> list[_Hole]:
    """Return the holes on the circle 0 ... size - 1, but for the longest stretch.

    Zero is never missing: most counters begin again with one.
    """
    numbers = sorted(first_seen)
    if len(numbers) < 2:
        return []
    steps = [*pairwise(numbers), (numbers[-1], numbers[0] + size)]
    longest = max(steps, key=lambda step: (step[1] - step[0], step[0]))
    found = []
    for before, following in steps:
        first, last = before + 1, following - 1
        if (before, following) == longest or first > last:
            continue
        has_zero = first <= size <= last
        count = last - first + 1 - has_zero
        if not count:
            continue
        ends = [n % size for n in (first + (first == size), last - (last == size))]
        since = max(first_seen[before], first_seen[following % size])
        found.append(_Hole(tuple(dict.fromkeys(ends)), count, since))
    return found


@dataclass(frozen=True, slots=True)
class File:
    """A recording on a card, as the inventory knows it again."""

    name: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Inventory:
    """What a docking found on a card, all of it."""

    docking: str
    card: str
    """The same for every docking of the same card, such as the file system's UUID."""
    taken_at: datetime
    """By the station's clock."""
    files: frozenset[File]
    device: str | None = None


def deleted_before_ingest(
    inventories: Iterable[Inventory], sealed: frozenset[File]
) -> Iterator[Matter]:
    """Yield a matter for each card with recordings that vanished before they were sealed.

    `inventories` are the complete ones, of whole cards; `sealed` are files whose content is
    in the evidence store. A file that is there again is not deleted.
    """
    in_order = sorted(inventories, key=lambda one: (one.card, one.taken_at, one.docking))
    for card, of_card in groupby(in_order, key=lambda one: one.card):
        found = list(of_card)
        newest = found[-1]
        missing = frozenset[File]().union(*(one.files for one in found)) - newest.files - sealed
        if not missing:
            continue
        gone = {file: _gone_at(file, found) for file in missing}
        items = sorted(
            (Item(file.name, since) for file, since in gone.items()),
            key=lambda item: (item.name, item.since or newest.taken_at),
        )
        device = newest.device or next((one.device for one in reversed(found) if one.device), None)
        yield Matter(
            kind=AlertKind.DELETED_BEFORE_INGEST,
            key=key_of(AlertKind.DELETED_BEFORE_INGEST, card),
            severity=Severity.BREACH,
            since=min(gone.values()),
            text=T(
                "{count} recording(s) were deleted from the card of device {device} before"
                " they were sealed.",
                count=len(missing),
                device=device or card,
            ),
            hint=T("Keep the card as it is, and ask who had it since the docking before."),
            device=device,
            docking=newest.docking,
            count=len(missing),
            items=tuple(items),
        )


def _gone_at(file: File, inventories: Sequence[Inventory]) -> datetime:
    """Return when the first inventory after the file's last one was taken."""
    last = max(n for n, one in enumerate(inventories) if file in one.files)
    return inventories[last + 1].taken_at


@dataclass(frozen=True, slots=True)
class Dated:
    """A sealed recording and its date, which is the device's word."""

    recording: str
    device: str
    docking: str
    docked_at: datetime
    """By the station's clock."""
    begins: datetime
    in_service_since: datetime | None = None
    """When the office got the device; None: unknown."""


def wrong_dates(recordings: Iterable[Dated], limits: WatchLimits = USUAL) -> Iterator[Matter]:
    """Yield a matter for each docking with recordings whose date cannot be right."""
    wrong = [one for one in recordings if _is_wrong(one, limits)]
    wrong.sort(key=lambda one: (one.device, one.docking, one.recording))
    for (device, docking), of_docking in groupby(wrong, key=lambda one: (one.device, one.docking)):
        found = list(of_docking)
        yield Matter(
            kind=AlertKind.WRONG_DATE,
            key=key_of(AlertKind.WRONG_DATE, device, docking),
            severity=Severity.WARNING,
            since=min(one.docked_at for one in found),
            text=T(
                "{count} recording(s) of device {device} have a date that cannot be right.",
                count=len(found),
                device=device,
            ),
            hint=T("Set the clock of the device, and note when they were really made."),
            device=device,
            docking=docking,
            count=len(found),
            items=tuple(Item(one.recording, one.begins) for one in found),
        )


def _is_wrong(one: Dated, limits: WatchLimits) -> bool:
    if one.begins - one.docked_at > limits.dated_ahead:
        return True
    return one.in_service_since is not None and one.begins < one.in_service_since
