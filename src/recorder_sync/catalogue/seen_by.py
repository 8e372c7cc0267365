"""Which rows of the catalogue an account may see, as conditions of queries (Art. 21, 25).

A scope (`rules/access.py`) narrows what is asked for before anything is read: what is outside
does not exist for who asks. Of a unit is what concerns its officers, and the devices that are
given or were issued to them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlite_utils.db import Database

from recorder_sync.rules.access import Reach, Scope, Secrecy

_AT_ONCE = 500
_OFFICERS = "select cert_no from officers where unit = ?"
_DEVICES_OF_UNIT = (
    f"select number from devices where officer in ({_OFFICERS})"
    f" union select device from device_events where officer in ({_OFFICERS})"
)
_DEVICES_OF_OFFICER = (
    "select number from devices where officer = ?"
    " union select device from device_events where officer = ?"
)


@dataclass(frozen=True, slots=True)
class Condition:
    sql: str
    values: tuple[object, ...] = ()


EVERYTHING = Condition("1")
NOTHING = Condition("0")


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


def recordings_in(scope: Scope) -> Condition:
    """Return the condition of the sealed recordings `r` within a scope."""
    of_officer, cleared = by_officer(scope, "r.officer"), cleared_for(scope, "r.secrecy")
    if cleared == EVERYTHING or of_officer == NOTHING:
        return of_officer
    of_case = cleared_for(scope, "c.secrecy")
    return Condition(
        f"{of_officer.sql} and {cleared.sql} and (r.case_no is null or exists"
        f" (select 1 from cases c where c.number = r.case_no and {of_case.sql}))",
        (*of_officer.values, *cleared.values, *of_case.values),
    )


def cleared_for(scope: Scope, column: str) -> Condition:
    """Return the condition of the secrecy classes that an account is cleared for (Art. 25)."""
    if scope.cleared == frozenset(Secrecy):
        return EVERYTHING
    named = sorted(one.value for one in scope.cleared if one is not Secrecy.NONE)
    marks = ", ".join("?" for _ in named)
    unmarked = f"{column} is null" if Secrecy.NONE in scope.cleared else "0"
    return Condition(f"({unmarked} or {column} in ({marks}))", tuple(named))


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


def seen_recordings(db: Database, recordings: Sequence[str], scope: Scope) -> frozenset[str]:
    """Return those of these recordings that are within a scope."""
    seen, found = recordings_in(scope), set()
    for at in range(0, len(recordings), _AT_ONCE):
        some = recordings[at : at + _AT_ONCE]
        marks = ", ".join("?" for _ in some)
        rows = db.execute(
            f"select r.id from recordings r where r.id in ({marks}) and {seen.sql}",
            [*some, *seen.values],
        )
        found |= {str(row[0]) for row in rows}
    return frozenset(found)
