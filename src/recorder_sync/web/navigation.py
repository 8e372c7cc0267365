"""What the console's side bar leads to, in its order, and who sees which of it."""

from dataclasses import dataclass

from recorder_sync.access.accounts import Account
from recorder_sync.rules.access import Permission


@dataclass(frozen=True, slots=True)
class Place:
    path: str
    word: str
    """English; translated where it is shown."""
    icon: str
    needed: Permission | None = None
    """None: everybody who is signed in."""
    or_else: Permission | None = None
    """What is enough as well."""

    def is_open_to(self, account: Account) -> bool:
        wanted = [one for one in (self.needed, self.or_else) if one is not None]
        return not wanted or any(account.may(one) for one in wanted)


@dataclass(frozen=True, slots=True)
class Part:
    word: str
    places: tuple[Place, ...]


_P = Permission

PARTS: tuple[Part, ...] = (
    Part(
        "",
        (
            Place("/", "Overview", "overview"),
            Place("/dock", "Dock screen", "dock", _P.SEE_STATION),
        ),
    ),
    Part(
        "Recordings and cases",
        (
            Place("/recordings", "Recordings", "video", _P.SEE_RECORDINGS),
            Place("/cases", "Cases", "case", _P.SEE_CASES),
            Place("/holds", "Legal holds", "lock", _P.SEE_CASES),
            Place("/statistics", "Statistics", "chart", _P.SEE_STATISTICS),
        ),
    ),
    Part(
        "Devices",
        (
            Place("/devices", "Devices", "camera", _P.SEE_DEVICES),
            Place("/dockings", "Dockings", "plug", _P.SEE_STATION),
            Place("/calendar", "Calendar", "calendar", _P.SEE_STATION, _P.SEE_RECORDINGS),
        ),
    ),
    Part(
        "Duties",
        (
            Place("/alerts", "Alerts", "bell", _P.SEE_STATION),
            Place("/deadlines", "Deadlines", "clock", _P.SEE_STATION, _P.SEE_RECORDINGS),
            Place("/deferrals", "Deferrals", "defer", _P.SEE_STATION, _P.ASK_DEFERRAL),
            Place("/gaps", "Gaps", "speech", _P.SEE_CASES),
        ),
    ),
    Part(
        "Station",
        (
            Place("/stores", "Stores", "store", _P.SEE_STATION),
            Place("/verification", "Verification", "shield", _P.SEE_STATION),
            Place("/custody", "Custody log", "chain", _P.SEE_CUSTODY),
        ),
    ),
    Part(
        "Administration",
        (
            Place("/accounts", "Accounts", "key", _P.KEEP_PEOPLE),
            Place("/officers", "Officers", "people", _P.KEEP_PEOPLE),
            Place("/programs", "Programs", "upload", _P.KEEP_PEOPLE),
            Place("/audit", "Audit trail", "audit", _P.SEE_AUDIT),
            Place("/settings", "Settings", "gear", _P.SEE_SETTINGS),
            Place("/about", "About", "info"),
        ),
    ),
)


def places_for(account: Account) -> list[Part]:
    """Return the parts with the places that an account may go to; none that is empty."""
    seen = (
        Part(part.word, tuple(place for place in part.places if place.is_open_to(account)))
        for part in PARTS
    )
    return [part for part in seen if part.places]
