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
    needed: Permission


@dataclass(frozen=True, slots=True)
class Part:
    word: str
    places: tuple[Place, ...]


_P = Permission

PARTS: tuple[Part, ...] = (
    Part("", (Place("/", "Overview", "overview", _P.SEE_STATION),)),
    Part("Evidence", (Place("/recordings", "Recordings", "video", _P.SEE_RECORDINGS),)),
)


def places_for(account: Account) -> list[Part]:
    """Return the parts with the places that an account may go to; none that is empty."""
    seen = (
        Part(part.word, tuple(place for place in part.places if account.may(place.needed)))
        for part in PARTS
    )
    return [part for part in seen if part.places]
