"""Sealed footage: interruptions of actions, and dates that cannot be right."""

from datetime import UTC, datetime

from recorder_sync.catalogue import footage as catalogue
from recorder_sync.catalogue import gap_explanations
from recorder_sync.catalogue import not_in as cards
from recorder_sync.catalogue.pieces import pieces
from recorder_sync.model import AlertKind
from recorder_sync.rules.continuity import actions, may_lack, unexplained
from recorder_sync.rules.matter import Matter, key_of
from recorder_sync.rules.sequence import wrong_dates
from recorder_sync.watching.cards import ended_at
from recorder_sync.watching.kept import NO_DEVICE
from recorder_sync.watching.source import Look, Undecided, undecided

_EVER = datetime.min.replace(tzinfo=UTC)


def interruptions(look: Look, device: str) -> list[Matter | Undecided]:
    """Return the gaps within a device's actions that nobody explained (Art. 20).

    What is still on a card would look like a gap: as long as a recording is not in that may
    be part of an action, nothing is said of it, and an alert about it stays as it is.
    """
    db = look.station.catalogue
    if device == NO_DEVICE:
        return []
    missing = cards.not_in(db, device)
    if cards.held(db, device) or any(one.is_unseen for one in missing):
        return [undecided(AlertKind.GAP, device)]
    ends = [ended_at(look.station, one) for one in missing]
    explanations = gap_explanations.explanations(db, device)
    found: list[Matter | Undecided] = []
    for action in actions(pieces(db, device, _EVER), look.limits):
        if may_lack(action, ends, look.limits):
            found.append(Undecided(key_of(AlertKind.GAP, device, action.pieces[0].recording)))
        else:
            found += unexplained(action.pieces, explanations, look.limits)
    return found


def dates(look: Look, device: str) -> list[Matter]:
    """Return which recordings of a device are dated after they were docked (Art. 4)."""
    found = catalogue.dated_after_docking(look.station.catalogue, device)
    return list(wrong_dates(found, look.limits))
