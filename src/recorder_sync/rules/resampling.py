"""Which confirmed copies are looked at again tonight, and what does a look say of one?

Those that were not looked at for the longest time come first, so with 1 % a night every copy
has its turn within 100 nights. A checksum that the store keeps stands for the bytes; where it
keeps none, or another than it had when it confirmed the copy, only the bytes can tell.
Pure: no clock, no store.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from math import ceil


class Lost(StrEnum):
    """How a store does not have any more what it had confirmed."""

    MISSING = "missing"
    CHANGED = "changed"
    UNREADABLE = "unreadable"
    """The store is there, and fails on it again and again."""
    UNLOCKED = "unlocked"
    """It may be deleted before the time until which it should be kept."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a store had confirmed of an object, or says of it now."""

    size: int | None
    """None: not known."""
    checksums: Mapping[str, str]
    """By algorithm, in hexadecimal."""
    is_locked: bool = True
    """Of what it says now: as well as was confirmed."""


class Look(StrEnum):
    """What is known of a copy without reading it."""

    SAME = "same"
    UNKNOWN = "unknown"
    """It has to be read."""


UNREADABLE_AFTER = 5
"""Failures on one copy, at a store that was seen to be there before each."""


def wait_after(failures: int) -> timedelta:
    """Return how long to wait after a store failed so many times on one copy."""
    return timedelta(minutes=1) * (1 << min(failures - 1, 5))


def due_tonight(copies: int, percent: float, looked_at: int) -> int:
    """Return how many copies are still to be looked at in a night in which some were."""
    return max(0, ceil(copies * percent / 100) - looked_at)


def at_first_sight(confirmed: Kept, now: Kept | None) -> Look | Lost:
    """Return what is known of a copy from what its store says; None: it has none."""
    if now is None:
        return Lost.MISSING
    if confirmed.size is not None and now.size != confirmed.size:
        return Lost.CHANGED
    if not now.is_locked:
        return Lost.UNLOCKED
    common = confirmed.checksums.keys() & now.checksums.keys()
    is_same = all(confirmed.checksums[n].lower() == now.checksums[n].lower() for n in common)
    return Look.SAME if common and is_same else Look.UNKNOWN
