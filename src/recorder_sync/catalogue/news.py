"""What changed in the catalogue, for whoever keeps in memory what it says.

Each thing has the version of its last change: a device (its dockings, recordings, moves and
entry in the ledger; what belongs to no device counts as the device ''), an officer (whose
recordings changed), the calendar, the deferrals.
"""

from collections.abc import Sequence
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


def make(db: Database) -> None:
    """Make the table and its triggers, and have everything that is there be news.

    Triggers enter it, so that no writer can forget to. SQLite lets one write at a time: the
    versions are in the order of the commits, and a reader misses none.
    """
    db.execute("create table news (about text primary key, version integer not null) strict")
    db.execute("create index news_by_version on news (version)")
    enter_all(db)
    sealed = "new.state = 'sealed'"
    of_device = "'device/' || coalesce({}.device, '')"
    of_officer = "'officer/' || {}.officer"
    new, old = (
        [expression.format(side) for expression in (of_device, of_officer)]
        for side in ("new", "old")
    )
    _tell(db, "recordings", "insert", new, when=sealed)
    _tell(db, "recordings", "update of state", new, when=f"{sealed} and old.state <> 'sealed'")
    _tell(db, "recordings", "update of device, officer, recorded_end", [*old, *new], when=sealed)
    _tell(db, "dockings", "insert", new[:1])
    _tell(db, "dockings", "update", [old[0], new[0]])
    _tell(db, "device_events", "insert", new[:1])
    _tell(db, "gap_explanations", "insert", new[:1])
    for event in ("insert", "update"):
        _tell(db, "devices", event, ["'device/' || new.number"])
        for name in ("calendar", "deferrals"):
            _tell(db, name, event, [f"'{name}'"])


def enter_all(db: Database) -> None:
    """Have everything that is there be news, for rows that came by without the triggers."""
    db.execute(
        "insert or replace into news (about, version) select about, row_number() over () from ("
        " select 'device/' || number as about from devices union select 'device/'"
        " union select 'officer/' || cert_no from officers"
        " union select 'calendar' union select 'deferrals')"
    )


def _tell(db: Database, of: str, event: str, about: Sequence[str], when: str | None = None) -> None:
    """Add a trigger that enters what `about` names, but for null, as the latest news."""
    steps = "".join(
        f" insert into news (about, version) select {one},"
        " coalesce((select max(version) from news), 0) + 1"
        f" where {one} is not null"
        " on conflict (about) do update set version = excluded.version;"
        for one in about
    )
    name = f"{of}_news_{event.replace(' of ', '_of_').split(',')[0].replace(' ', '_')}"
    condition = f" when {when}" if when else ""
    db.execute(f"create trigger {name} after {event} on {of}{condition} begin{steps} end")
