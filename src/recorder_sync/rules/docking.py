"""The states of one stay on a port, and the moves allowed between them.

`SAFE` is the only state in which a device may be taken without a second thought: every
recording of its inventory is sealed. Nobody is told of it before it is so.
"""

from enum import StrEnum


class Stay(StrEnum):
    """What a person at the dock is shown of a device."""

    GREETED = "waiting"
    """Plugged in; being mounted, identified and checked."""
    HELD = "held"
    """Unknown to the ledger: nothing is copied until it is registered."""
    COPYING = "copying"
    VERIFYING = "verifying"
    SAFE = "safe"
    SAFE_WITH_PROBLEMS = "safe-with-problems"
    """Everything is sealed, and something needs a person before the device goes out."""
    NEEDS_CUSTODIAN = "needs-custodian"
    """Something on it is not sealed, and waiting does not help."""
    REMOVED = "removed"
    REMOVED_EARLY = "removed-early"
    """Pulled out before everything on it was sealed."""
    INTERRUPTED = "interrupted"
    """The service ended first; the next start goes on."""


_ENDS = frozenset({Stay.REMOVED, Stay.REMOVED_EARLY, Stay.INTERRUPTED})
_SETTLED = frozenset({Stay.SAFE, Stay.SAFE_WITH_PROBLEMS, Stay.NEEDS_CUSTODIAN})

MOVES: dict[Stay, frozenset[Stay]] = {
    Stay.GREETED: _ENDS | {Stay.HELD, Stay.COPYING, Stay.NEEDS_CUSTODIAN},
    Stay.HELD: _ENDS | {Stay.COPYING, Stay.NEEDS_CUSTODIAN},
    Stay.COPYING: _ENDS | _SETTLED | {Stay.VERIFYING},
    Stay.VERIFYING: _ENDS | _SETTLED,
    Stay.SAFE: _ENDS,
    Stay.SAFE_WITH_PROBLEMS: _ENDS,
    Stay.NEEDS_CUSTODIAN: _ENDS | {Stay.GREETED},
    Stay.REMOVED: frozenset(),
    Stay.REMOVED_EARLY: frozenset(),
    Stay.INTERRUPTED: frozenset(),
}
"""What each state may be followed by."""


def is_settled(stay: Stay) -> bool:
    """Tell whether the device waits for nothing but a person's hand."""
    return stay in _SETTLED


def has_ended(stay: Stay) -> bool:
    """Tell whether the device is not on the port any more, as far as anyone knows."""
    return stay in _ENDS


def after(stay: Stay, wanted: Stay) -> Stay:
    """Return `wanted`; staying as it is is no move. Raises ValueError for one not allowed."""
    if wanted is not stay and wanted not in MOVES[stay]:
        raise ValueError(f"a docking that is {stay} cannot become {wanted}")
    return wanted


def after_removal(stay: Stay) -> Stay:
    """Return what a stay becomes when its device is pulled out."""
    return Stay.REMOVED if stay in {Stay.SAFE, Stay.SAFE_WITH_PROBLEMS} else Stay.REMOVED_EARLY
