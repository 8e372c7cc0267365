"""What changes about the alerts on record, now that these matters are open?

An alert is one matter on record with one identity. It is opened once, updated while what
it says changes, and resolved by itself when its matter is gone. A person may acknowledge it
(somebody is on it) or resolve it with a note.

What a person resolved stays resolved while the same facts hold, and while they get better:
a missed recording cannot be made any more, and the note is the answer to it. When they
change for the worse, or end and begin again, a new alert opens. An acknowledged alert that
becomes worse is open again.

The caller puts the changes on record and gives them back as facts the next time; asked again
with them, nothing changes. The order of alerts and matters does not matter.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from recorder_sync.rules.matter import Matter, Severity


class AlertState(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class ResolvedBy(StrEnum):
    CAUSE_GONE = "cause-gone"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class OnRecord:
    """An alert as it stands on record.

    Needed are all that are not resolved, and those that a person resolved whose cause is
    not known to have gone.
    """

    number: int
    """Higher for one that was opened later."""
    key: str
    state: AlertState
    severity: Severity
    count: int
    names: frozenset[str]
    digest: str
    """These four as the matter had them when it was last put on record."""
    resolved_by: ResolvedBy | None = None
    cause_gone: bool = False
    """Whether the matter was found gone at any time after a person resolved it."""


@dataclass(frozen=True, slots=True)
class Update:
    number: int
    matter: Matter
    state: AlertState
    """The state after it: acknowledged becomes open when it is worse."""
    is_worse: bool


@dataclass(frozen=True, slots=True)
class Changes:
    opened: tuple[Matter, ...] = ()
    updated: tuple[Update, ...] = ()
    resolved: tuple[int, ...] = ()
    """Numbers of the alerts whose cause is gone."""
    ended: tuple[int, ...] = ()
    """Numbers of those that a person resolved, and whose cause is gone now: if it begins
    again, that is a new alert."""


def reconcile(on_record: Iterable[OnRecord], matters: Iterable[Matter]) -> Changes:
    """Return what to put on record. `matters` are all that are open at this moment.

    Of several matters with one key the worst counts; of several alerts with one key that
    are not resolved the first is kept, and the others are resolved.
    """
    now = _by_key(matters)
    alerts: dict[str, list[OnRecord]] = {}
    for one in sorted(on_record, key=lambda alert: alert.number):
        alerts.setdefault(one.key, []).append(one)
    opened: list[Matter] = []
    updated: list[Update] = []
    resolved: list[int] = []
    ended: list[int] = []
    for key in sorted(now.keys() | alerts.keys()):
        matter, known = now.get(key), alerts.get(key, [])
        live = [one for one in known if one.state is not AlertState.RESOLVED]
        answered = [one for one in known if _is_answered(one)]
        if matter is None:
            resolved.extend(one.number for one in live)
            ended.extend(one.number for one in answered)
        elif live:
            resolved.extend(one.number for one in live[1:])
            if live[0].digest != matter.digest:
                updated.append(_update(live[0], matter))
        elif not answered or is_worse(answered[-1], matter):
            opened.append(matter)
    return Changes(tuple(opened), tuple(updated), tuple(resolved), tuple(ended))


def is_worse(known: OnRecord, matter: Matter) -> bool:
    """Tell whether a matter is worse than it was: more severe, more, or about others."""
    if matter.severity.rank != known.severity.rank:
        return matter.severity.rank > known.severity.rank
    return matter.count > known.count or not matter.names <= known.names


def _is_answered(one: OnRecord) -> bool:
    is_resolved = one.state is AlertState.RESOLVED
    return is_resolved and one.resolved_by is ResolvedBy.PERSON and not one.cause_gone


def _update(known: OnRecord, matter: Matter) -> Update:
    worse = is_worse(known, matter)
    return Update(known.number, matter, AlertState.OPEN if worse else known.state, worse)


def _by_key(matters: Iterable[Matter]) -> dict[str, Matter]:
    found: dict[str, Matter] = {}
    for one in matters:
        other = found.get(one.key)
        if other is None or _badness(one) > _badness(other):
            found[one.key] = one
    return found


def _badness(one: Matter) -> tuple[int, int, str]:
    return one.severity.rank, one.count, one.digest
