"""Sealed footage: interruptions of actions, and dates that cannot be right."""

from recorder_sync.catalogue import footage as catalogue
from recorder_sync.catalogue import gap_explanations
from recorder_sync.model import AlertKind
from recorder_sync.rules import continuity
from recorder_sync.rules.continuity import unexplained
from recorder_sync.rules.matter import Matter
from recorder_sync.rules.outstanding import Why
from recorder_sync.rules.sequence import wrong_dates
from recorder_sync.watching.cards import waiting
from recorder_sync.watching.kept import NO_DEVICE
from recorder_sync.watching.source import Look, Undecided, undecided


def interruptions(look: Look, device: str) -> list[Matter | Undecided]:
    """Return the gaps within a device's actions that nobody explained (Art. 20).

    Nothing is said of an action that what is outstanding may be part of, nor of any action
    of a device that is held, as nobody knows what is on it: such alerts stay as they are.
    """
    db = look.station.catalogue
    if device == NO_DEVICE:
        return []
    outstanding = waiting(look, device)
    if any(one.why is Why.HELD for one in outstanding):
        return [undecided(AlertKind.GAP, device)]
    pieces, said = catalogue.pieces(db, device), gap_explanations.explanations(db, device)
    return [
        *unexplained(pieces, said, look.limits, outstanding),
        *map(Undecided, continuity.undecided(pieces, look.limits, outstanding)),
    ]


def dates(look: Look, device: str) -> list[Matter]:
    """Return which recordings of a device are dated after they were docked (Art. 4)."""
    found = catalogue.dated_after_docking(look.station.catalogue, device)
    return list(wrong_dates(found, look.limits))
