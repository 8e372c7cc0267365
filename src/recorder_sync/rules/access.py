"""Who may do what, and see which recordings (Art. 21, 22, 25, 30). Pure.

A role says what somebody may do; the reach says whose recordings that concerns; the secrecy
classes that an account is cleared for narrow it further. An administrator looks after the
program and sees no evidence; an inspector sees everything and changes nothing.
"""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    OFFICER = "officer"
    """Sees what is theirs."""
    CUSTODIAN = "custodian"
    """Keeps the devices and the station (Art. 22)."""
    TEAM_LEADER = "team leader"
    """Answers for the officers of one unit."""
    INSPECTOR = "inspector"
    """Reads everything, for the bureau that supervises (Art. 30)."""
    ADMINISTRATOR = "administrator"
    """Looks after accounts and settings."""


class Secrecy(StrEnum):
    """How secret a recording is (Art. 25)."""

    NONE = "none"
    PERSONAL = "personal privacy"
    COMMERCIAL = "commercial secret"
    STATE = "state secret"


class Permission(StrEnum):
    """One thing that somebody may be allowed to do."""

    SEE_STATION = "see station"
    """Ports, dockings, disks, stores, alerts, deadlines."""
    SEE_DEVICES = "see devices"
    MOVE_DEVICES = "move devices"
    """Register, issue, take back, report and repair."""
    SEE_RECORDINGS = "see recordings"
    """Search, and read what is known of a recording."""
    VIEW_EVIDENCE = "view evidence"
    """Play, and look at pictures."""
    EXPORT = "export"
    CORRECT = "correct"
    """Correct tags, set marks and bookmarks."""
    SEE_CASES = "see cases"
    KEEP_CASES = "keep cases"
    """Open, describe and close cases; explain gaps."""
    HOLD = "hold"
    """Put recordings and cases under legal hold, and release them."""
    HAND_IN_DOCUMENTS = "hand in documents"
    """Of cases (Art. 10 to 15)."""
    HANDLE_ALERTS = "handle alerts"
    ASK_DEFERRAL = "ask for deferral"
    APPROVE_DEFERRAL = "approve deferral"
    VERIFY = "verify"
    SEE_CUSTODY = "see custody"
    KEEP_QUEUE = "keep queue"
    """Pause and resume what is sent to stores, and have it tried again."""
    SEE_STATISTICS = "see statistics"
    SEE_AUDIT = "see audit"
    """Who looked at what, and who signed in."""
    KEEP_PEOPLE = "keep people"
    """Accounts, roles and officers."""
    SEE_SETTINGS = "see settings"


class Reach(StrEnum):
    """Whose recordings somebody may see."""

    OWN = "own"
    UNIT = "unit"
    ALL = "all"
    NONE = "none"


_P = Permission
_READING = frozenset(
    {
        *(_P.SEE_STATION, _P.SEE_DEVICES, _P.SEE_RECORDINGS, _P.VIEW_EVIDENCE, _P.SEE_CASES),
        *(_P.SEE_CUSTODY, _P.SEE_STATISTICS),
    }
)

_MAY: dict[Role, frozenset[Permission]] = {
    Role.OFFICER: frozenset(
        {
            *(_P.SEE_RECORDINGS, _P.VIEW_EVIDENCE, _P.SEE_CASES, _P.CORRECT),
            *(_P.ASK_DEFERRAL, _P.KEEP_CASES),
        }
    ),
    Role.CUSTODIAN: _READING
    | {
        *(_P.MOVE_DEVICES, _P.HANDLE_ALERTS, _P.CORRECT, _P.EXPORT, _P.KEEP_CASES),
        *(_P.ASK_DEFERRAL, _P.VERIFY, _P.KEEP_QUEUE, _P.HOLD, _P.HAND_IN_DOCUMENTS),
    },
    Role.TEAM_LEADER: _READING
    | {
        *(_P.HANDLE_ALERTS, _P.CORRECT, _P.EXPORT, _P.KEEP_CASES, _P.ASK_DEFERRAL),
        *(_P.APPROVE_DEFERRAL, _P.HOLD, _P.HAND_IN_DOCUMENTS),
    },
    Role.INSPECTOR: _READING | {_P.EXPORT, _P.VERIFY, _P.SEE_AUDIT, _P.SEE_SETTINGS},
    Role.ADMINISTRATOR: frozenset(
        {
            *(_P.SEE_STATION, _P.SEE_DEVICES, _P.KEEP_PEOPLE, _P.SEE_SETTINGS, _P.SEE_AUDIT),
            *(_P.KEEP_QUEUE, _P.VERIFY, _P.SEE_CUSTODY),
        }
    ),
}

_REACH = {
    Role.OFFICER: Reach.OWN,
    Role.CUSTODIAN: Reach.ALL,
    Role.TEAM_LEADER: Reach.UNIT,
    Role.INSPECTOR: Reach.ALL,
    Role.ADMINISTRATOR: Reach.NONE,
}


def may(role: Role, wanted: Permission) -> bool:
    """Tell whether a role is allowed something."""
    return wanted in _MAY[role]


def reach_of(role: Role) -> Reach:
    """Return whose recordings a role concerns."""
    return _REACH[role]


@dataclass(frozen=True, slots=True)
class Scope:
    """Which recordings one account may see: its reach, and the secrecy it is cleared for."""

    reach: Reach
    officer: str | None = None
    """Certificate number, where the reach is the officer's own."""
    unit: str | None = None
    cleared: frozenset[Secrecy] = frozenset({Secrecy.NONE})

    def holds(self, officer: str | None, unit: str | None, secrecy: Secrecy) -> bool:
        """Tell whether a recording of this officer, unit and secrecy class is within."""
        if secrecy not in self.cleared:
            return False
        match self.reach:
            case Reach.ALL:
                return True
            case Reach.UNIT:
                return self.unit is not None and unit == self.unit
            case Reach.OWN:
                return self.officer is not None and officer == self.officer
            case Reach.NONE:
                return False


class ApiScope(StrEnum):
    """One thing that a program may do by the API, as its token says."""

    RECORDINGS_READ = "recordings:read"
    """Search recordings and read what is known of them."""
    PROOFS_READ = "proofs:read"
    CASES_READ = "cases:read"
    CASES_WRITE = "cases:write"
    CALENDAR_READ = "calendar:read"
    CALENDAR_WRITE = "calendar:write"
    DEVICES_READ = "devices:read"
    ALERTS_READ = "alerts:read"
    METRICS_READ = "metrics:read"
