"""What changed in the catalogue, for whoever keeps in memory what it says.

Each thing has the version of its last change: a device (its dockings, recordings, moves and
entry in the ledger; what belongs to no device counts as the device ''), an officer (whose
recordings changed), the calendar, the deferrals. Triggers enter it (`schema.py`).
"""

from dataclasses import dataclass

from sqlite_utils.db import Database

CALENDAR = "calendar"
DEFERRALS = "deferrals"


@dataclass(frozen=True, slots=True)
class News:
    """What changed since a version, and the version that is the newest now."""

    version: int
    about: frozenset[str]

    @property
    def devices(self) -> frozenset[str]:
        return frozenset(self._of("device/"))

    @property
    def officers(self) -> frozenset[str]:
        return frozenset(self._of("officer/"))

    def _of(self, kind: str) -> list[str]:
        return [one.removeprefix(kind) for one in self.about if one.startswith(kind)]


def since(db: Database, version: int) -> News:
    """Return everything that changed after `version`; after nought that is all."""
    rows = db.execute("select about, version from news where version > ?", [version]).fetchall()
    return News(max((row[1] for row in rows), default=version), frozenset(row[0] for row in rows))
