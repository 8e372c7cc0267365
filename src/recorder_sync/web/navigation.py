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
    needed: Permission | None
    """None: whoever is signed in."""


@dataclass(frozen=True, slots=True)
class Part:
    word: str
    places: tuple[Place, ...]


_P = Permission

PARTS: tuple[Part, ...] = (
    Part("", (Place("/", "Overview", "overview", _P.SEE_STATION),)),
    Part("Evidence", (Place("/statistics", "Statistics", "chart", _P.SEE_STATISTICS),)),
    Part("Devices", (Place("/devices", "Devices", "camera", _P.SEE_DEVICES),)),
    Part(
        "Administration",
        (
            Place("/accounts", "Accounts", "key", _P.KEEP_PEOPLE),
            Place("/officers", "Officers", "people", _P.KEEP_PEOPLE),
            Place("/audit", "Audit trail", "audit", _P.SEE_AUDIT),
            Place("/settings", "Settings", "gear", _P.SEE_SETTINGS),
            Place("/about", "About", "info", None),
        ),
    ),
)


def places_for(account: Account) -> list[Part]:
    """Return the parts with the places that an account may go to; none that is empty."""
    seen = (
        Part(
            part.word,
            tuple(one for one in part.places if one.needed is None or account.may(one.needed)),
        )
        for part in PARTS
    )
    return [part for part in seen if part.places]
