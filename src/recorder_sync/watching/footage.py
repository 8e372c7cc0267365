"""Sealed footage: interruptions of actions, and dates that cannot be right."""

from datetime import UTC, datetime

from recorder_sync.catalogue import footage as catalogue
from recorder_sync.catalogue import gap_explanations
from recorder_sync.catalogue.not_in import not_in
from recorder_sync.catalogue.pieces import pieces
from recorder_sync.model import AlertKind
from recorder_sync.rules import continuity
from recorder_sync.rules.continuity import unexplained
from recorder_sync.rules.matter import Matter
from recorder_sync.rules.outstanding import Why
from recorder_sync.rules.sequence import wrong_dates
from recorder_sync.watching.cards import waiting
from recorder_sync.watching.kept import NO_DEVICE
from recorder_sync.watching.source import Look, Undecided, undecided

_EVER = datetime.min.replace(tzinfo=UTC)


def interruptions(look: Look, device: str) -> list[Matter | Undecided]:
    """Return the gaps within a device's actions that nobody explained (Art. 20).

    Nothing is said of an action that what is outstanding may be part of, nor of any action
    of a device that is held or has what could not be looked at, as nobody knows what is on
    it: such alerts stay as they are.
    """
    db = look.station.catalogue
    if device == NO_DEVICE:
        return []
    outstanding = waiting(look, device)
    is_held = any(one.why is Why.HELD for one in outstanding)
    if is_held or any(one.is_unseen for one in not_in(db, device)):
        return [undecided(AlertKind.GAP, device)]
    sealed = pieces(db, device, _EVER)
    said = gap_explanations.explanations(db, device)
    return [
        *unexplained(sealed, said, look.limits, outstanding),
        *map(Undecided, continuity.undecided(sealed, look.limits, outstanding)),
    ]


def dates(look: Look, device: str) -> list[Matter]:
    """Return which recordings of a device are dated after they were docked (Art. 4)."""
    found = catalogue.dated_after_docking(look.station.catalogue, device)
    return list(wrong_dates(found, look.limits))
