"""Says in words of the page where something comes from: who did it, and what a tag rests on.

The custody log and the descriptions say it in one form for programs (`account:zhou`, `profile
dcam`), which is never changed; people read it in their own language. What is not known here is
shown as it stands.
"""

from collections.abc import Callable, Mapping
from zoneinfo import ZoneInfo

from recorder_sync.language import T, Text, tr
from recorder_sync.shown import minute
from recorder_sync.timestamps import moment


def who(actor: str) -> str:
    """Return who acted, of what the custody log says."""
    kind, colon, name = actor.partition(":")
    if not colon:
        return actor
    match kind:
        case "account":
            return name
        case "os":
            return T("{name} (this computer)", name=name).shown
        case "officer":
            return T("officer {number}", number=name).shown
        case "token":
            return T("program {name}", name=name).shown
    return actor


_RESTS_ON: Mapping[str, Callable[[str], Text]] = {
    "profile ": lambda name: T("profile {name}", name=name),
    "tag ": lambda name: T("field {name}", name=name),
    "USB identity ": lambda name: T("USB identity {identity}", identity=name),
    "file system ": lambda name: T("card {number}", number=name),
    "holder of device ": lambda name: T("holder of device {number}", number=name),
}
"""What a claim's detail begins with, and how the rest of it is said."""
_ISSUED = "issued to at "


def rests_on(detail: str, zone: ZoneInfo) -> str:
    """Return what a claim rests on, of its detail; times in the station's zone."""
    for begins, said in _RESTS_ON.items():
        if detail.startswith(begins):
            return said(detail.removeprefix(begins)).shown
    if detail.startswith(_ISSUED):
        try:
            since = moment(detail.removeprefix(_ISSUED))
        except ValueError:  # not ours, although it begins like it
            return detail
        return T("issued {time}", time=minute(since, zone)).shown
    match detail:
        case "command line":
            return tr("command line")
        case "the other files on this card":
            return tr("the other files on this card")
    by, colon, reason = detail.partition(": ")  # of a correction; some reasons are our own words
    return f"{by}: {tr(reason)}" if colon and reason else detail
