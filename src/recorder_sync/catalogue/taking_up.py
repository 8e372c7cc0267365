"""How far a catalogue has taken up the custody log, and taking up an entry of it.

The number of entries stands in the catalogue's `user_version`.
"""

from collections.abc import Iterable

from sqlite_utils.db import Database

from recorder_sync.catalogue import trail
from recorder_sync.custody.log import Act, Entry

ACTS = frozenset(Act) - {
    *(Act.CLEARED, Act.CONFIGURATION, Act.SERVICE),
    *(Act.CLOCK_STEP, Act.KEY_ROTATED, Act.STORE_BOUND),
}
"""What the catalogue has something of: by a step of its own, or a row of the audit trail."""


def taken_up(db: Database) -> int:
    """Return how many entries of the log are known to be in the catalogue, from the first on."""
    return int(db.execute("pragma user_version").fetchone()[0])


def note_taken_up(db: Database, entries: int) -> None:
    """Note, in a transaction of the caller's, that all of so many entries are in the catalogue."""
    db.execute(f"pragma user_version = {entries}")


def apply(db: Database, entries: Iterable[Entry]) -> None:
    """Enter what these entries say, in a transaction of the caller's."""
    for entry in entries:
        take_up(db, entry)


def take_up(db: Database, entry: Entry) -> None:
    """Do to the catalogue what followed from one entry of the custody log."""
    # Here and not above: the steps bring twenty modules, and an intake takes nothing up.
    from recorder_sync.catalogue.steps import STEPS

    if (step := STEPS.get(entry.deed.act)) is not None:
        step(db, entry)
    trail.take_up(db, entry)
