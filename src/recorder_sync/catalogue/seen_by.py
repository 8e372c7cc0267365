"""What may this account see? The answer as conditions of queries (Art. 21, 25).

A scope (`rules/access.py`) narrows what is asked for before anything is read: what is outside
does not exist for who asks. Of a unit is what concerns its officers, and the devices that are
given or were issued to them. No other place narrows rows by reach and secrecy, but for the sums
of days (`day_figures.py`), which are no rows of recordings any more.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlite_utils.db import Database

from recorder_sync.catalogue.recordings import Sealed, recording
from recorder_sync.errors import NotFound
from recorder_sync.language import T
from recorder_sync.rules.access import Reach, Scope, Secrecy

_AT_ONCE = 500
_OFFICERS = "select cert_no from officers where unit = ?"
_DEVICES_OF_UNIT = (
    f"select number from devices where officer in ({_OFFICERS})"
    " union select device from device_events indexed by moves_by_officer"
    f" where officer > '' and officer in ({_OFFICERS})"
)
_DEVICES_OF_OFFICER = (
    "select number from devices where officer = ?"
    " union select device from device_events indexed by moves_by_officer"
    " where officer > '' and officer = ?"
)


@dataclass(frozen=True, slots=True)
class Condition:
    sql: str
    values: tuple[object, ...] = ()

    def named(self, prefix: str) -> tuple[str, dict[str, object]]:
        """Return the same for a query whose values have names."""
        first, *rest = self.sql.split("?")
        sql = first + "".join(f":{prefix}{at}{part}" for at, part in enumerate(rest))
        return sql, {f"{prefix}{at}": value for at, value in enumerate(self.values)}


EVERYTHING = Condition("1")
NOTHING = Condition("(select 0)")
"""Never met. Written so that SQLite does not see it before it runs: it refuses an index by name in
a query that it knows to find nothing."""


def by_officer(scope: Scope, column: str) -> Condition:
    """Return the condition of what is of one officer, such as a recording: by that alone."""
    match scope.reach:
        case Reach.ALL:
            return EVERYTHING
        case Reach.UNIT if scope.unit is not None:
            return Condition(f"{column} in ({_OFFICERS})", (scope.unit,))
        case Reach.OWN if scope.officer is not None:
            return Condition(f"{column} = ?", (scope.officer,))
    return NOTHING


def recordings_in(scope: Scope, officer: str = "r.officer") -> Condition:
    """Return the condition of the recordings `r` within a scope: by reach, by their own secrecy
    class and by that of their case, as `Scope.holds` tells of one.

    `+r.officer` has SQLite go along another index than that by officer.
    """
    of_officer, cleared = by_officer(scope, officer), cleared_for(scope, "r.secrecy")
    if cleared == EVERYTHING or of_officer == NOTHING:
        return of_officer
    of_case = cleared_for(scope, "secrecy")
    # Cases that are too secret are few, and are read once for all recordings.
    return Condition(
        f"{of_officer.sql} and {cleared.sql} and (r.case_no is null or r.case_no not in"
        f" (select number from cases where {_secret(scope)} and not {of_case.sql}))",
        (*of_officer.values, *cleared.values, *of_case.values),
    )


def sees_every_recording(scope: Scope) -> bool:
    return recordings_in(scope) == EVERYTHING


def cleared_for(scope: Scope, column: str) -> Condition:
    """Return the condition of the secrecy classes that an account is cleared for (Art. 25).

    It is 0 or 1 for every row, and never null.
    """
    if scope.cleared == frozenset(Secrecy):
        return EVERYTHING
    named = sorted(one.value for one in scope.cleared if one is not Secrecy.NONE)
    marks = ", ".join("?" for _ in named)
    marked = f"ifnull({column} in ({marks}), 0)"
    unmarked = f"{column} is null" if Secrecy.NONE in scope.cleared else "0"
    return Condition(f"({unmarked} or {marked})", tuple(named))


def _secret(scope: Scope) -> str:
    """Return what SQLite finds along the index of secret cases, where those are enough to read."""
    return "secrecy is not null" if Secrecy.NONE in scope.cleared else "1"


def concerning(scope: Scope, officer: str = "officer", device: str = "device") -> Condition:
    """Return the condition of what names an officer, a device, both or none.

    The officer decides where one is named. What names neither is about the station: who may
    see that at all is for the page to say, so here it is outside of a narrowed reach.
    """
    if scope.reach is Reach.ALL:
        return EVERYTHING
    of_officer = by_officer(scope, officer)
    if of_officer == NOTHING:
        return NOTHING
    of_device = _devices(scope)
    return Condition(
        f"({of_officer.sql} or ({officer} is null and {device} in ({of_device.sql})))",
        (*of_officer.values, *of_device.values),
    )


def by_device(scope: Scope, column: str = "device") -> Condition:
    """Return the condition of what is of one device, such as a docking."""
    if scope.reach is Reach.ALL or scope.reach is Reach.NONE:
        return EVERYTHING  # devices are no evidence: who looks after the program sees them
    of_device = _devices(scope)
    return Condition(f"{column} in ({of_device.sql})", of_device.values)


def _devices(scope: Scope) -> Condition:
    match scope.reach:
        case Reach.UNIT if scope.unit is not None:
            return Condition(_DEVICES_OF_UNIT, (scope.unit, scope.unit))
        case Reach.OWN if scope.officer is not None:
            return Condition(_DEVICES_OF_OFFICER, (scope.officer, scope.officer))
    return Condition("select null where 0")


@dataclass(frozen=True, slots=True)
class Mine:
    """The officers and devices of a narrowed reach, where facts are in no table."""

    reach: Reach
    officers: frozenset[str] = frozenset()
    devices: frozenset[str] = frozenset()

    def concerns(self, officer: str | None, device: str | None) -> bool:
        """Tell whether it is within, as `concerning` does; with neither it is for all to see
        who see everything.
        """
        if self.reach is Reach.ALL:
            return True
        if officer is not None:
            return officer in self.officers
        return device is not None and device in self.devices


def mine(db: Database, scope: Scope) -> Mine:
    """Return whom a scope reaches."""
    if scope.reach in {Reach.ALL, Reach.NONE}:
        return Mine(scope.reach)
    of_device = _devices(scope)
    devices = {str(row[0]) for row in db.execute(of_device.sql, list(of_device.values))}
    if scope.reach is Reach.OWN:
        officers = {scope.officer} if scope.officer else set()
    else:
        officers = {str(row[0]) for row in db.execute(_OFFICERS, [scope.unit])}
    return Mine(scope.reach, frozenset(officers), frozenset(devices))


def visible(db: Database, prefix: str, scope: Scope) -> Sealed:
    """Return the sealed recording whose id starts with `prefix`, where it is within the scope.

    Raises NotFound; one that is not within is as one that never was.
    """
    seen = recordings_in(scope, "+r.officer")
    rows = db.execute(
        "select r.id from recordings r where r.state = 'sealed' and r.id >= ? and r.id < ?"
        f" and {seen.sql} limit 2",
        [prefix, prefix + "\U0010ffff", *seen.values],
    ).fetchall()
    if not prefix or len(rows) != 1:
        raise NotFound(
            T("There is no sealed recording {id}.", id=prefix),
            T("recorder-sync recordings list shows them."),
        )
    return recording(db, rows[0][0])


def visible_of(db: Database, recordings: Sequence[str], scope: Scope) -> list[str]:
    """Return those of these recordings that are sealed and within the scope, in their order."""
    found = _found(db, recordings, scope, "r.state = 'sealed'")
    return [one for one in recordings if one in found]


def seen_recordings(db: Database, recordings: Sequence[str], scope: Scope) -> frozenset[str]:
    """Return those of these recordings that are within a scope, sealed or not yet."""
    return frozenset(_found(db, recordings, scope, "1"))


def _found(db: Database, recordings: Sequence[str], scope: Scope, condition: str) -> set[str]:
    seen, found = recordings_in(scope, "+r.officer"), set()
    for at in range(0, len(recordings), _AT_ONCE):
        some = recordings[at : at + _AT_ONCE]
        marks = ", ".join("?" for _ in some)
        rows = db.execute(
            f"select r.id from recordings r where r.id in ({marks}) and {condition} and {seen.sql}",
            [*some, *seen.values],
        )
        found |= {str(row[0]) for row in rows}
    return found
