"""Puts on record what becomes of alerts: by the rules, and by people.

The custody log first, all of one look at once, then the catalogue (`on_record.py`). What is
on record already is not put there again, so a look that was cut off may be repeated.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from recorder_sync.catalogue import alerts
from recorder_sync.catalogue.alert_facts import matter_facts
from recorder_sync.catalogue.alerts import RecordedAlert
from recorder_sync.custody.log import Act, Deed
from recorder_sync.errors import UsageProblem
from recorder_sync.language import T
from recorder_sync.on_record import enter, turn
from recorder_sync.rules.matter import Matter
from recorder_sync.rules.reconcile import AlertState, Changes, ResolvedBy, Update
from recorder_sync.station import Station
from recorder_sync.timestamps import iso


def put_on_record(station: Station, changes: Changes, now: datetime) -> tuple[int, ...]:
    """Put the changes on record in a turn of their own; return the numbers of what opened.

    Raises MissingPart or CustodyProblem when they cannot be put on record.
    """
    if changes == Changes():
        return ()
    with turn(station):
        return record_changes(station, changes, now)


def record_changes(station: Station, changes: Changes, now: datetime) -> tuple[int, ...]:
    """Do the same within a turn of the caller's, together with what it writes itself."""
    known = {one.number: one for one in alerts.standing(station.catalogue)}
    live = {one.key for one in known.values() if not one.is_resolved}
    deeds = [
        *_resolved(station, changes, known, now),
        *_ended(station, changes, known, now),
        *_updated(station, changes, known, now),
    ]
    opened = [_opening(station, one, now) for one in changes.opened if one.key not in live]
    entries = enter(station, [*deeds, *opened])
    return tuple(entry.seq for entry in entries[len(deeds) :])


def acknowledge(station: Station, number: int, who: str, note: str | None = None) -> None:
    """Put on record that `who` is on it; the entry names who ran the program as well.

    Raises NotFound, or UsageProblem for an alert that is resolved.
    """
    with turn(station):
        one = _live(station, number)
        is_known = one.state is AlertState.ACKNOWLEDGED and one.acknowledged_by == who
        if is_known and note in {None, one.note}:
            return
        facts = {"alert": _which(one), "who": who, "note": note}
        enter(station, [station.deed(Act.ALERT_ACKNOWLEDGED, _subject(station, one), facts)])


def resolve(station: Station, number: int, who: str, note: str) -> None:
    """Put on record that a person dealt with it, and how.

    Raises NotFound, or UsageProblem for an alert that is resolved, or an empty note.
    """
    if not note.strip():
        raise UsageProblem(T("The note is empty."), T("Say what was done, after --note."))
    with turn(station):
        one = _live(station, number)
        facts = {
            "alert": _which(one),
            "by": ResolvedBy.PERSON.value,
            "who": who,
            "note": note.strip(),
        }
        enter(station, [station.deed(Act.ALERT_RESOLVED, _subject(station, one), facts)])


def _live(station: Station, number: int) -> RecordedAlert:
    one = alerts.alert(station.catalogue, number)
    if one.is_resolved:
        raise UsageProblem(
            T("Alert {number} is resolved already.", number=number),
            T("See: recorder-sync alerts show {number}", number=number),
        )
    return one


Known = Mapping[int, RecordedAlert]


def _opening(station: Station, matter: Matter, now: datetime) -> Deed:
    facts = matter_facts(matter)
    return Deed(Act.ALERT, _subject(station, matter), station.actor, now, facts)


def _updated(station: Station, changes: Changes, known: Known, now: datetime) -> Iterator[Deed]:
    for update in changes.updated:
        one = known.get(update.number)
        if one is not None and not one.is_resolved and one.digest != update.matter.digest:
            facts = {"alert": _which(one), **matter_facts(update.matter), **_life(one, update)}
            subject = _subject(station, update.matter)
            yield Deed(Act.ALERT_UPDATED, subject, station.actor, now, facts)


def _life(one: RecordedAlert, update: Update) -> dict[str, object]:
    """Return the state after an update; a person may have acknowledged it meanwhile."""
    is_acknowledged = one.state is AlertState.ACKNOWLEDGED
    opens_again = is_acknowledged and update.is_worse
    return {
        "state": AlertState.OPEN.value if opens_again else one.state.value,
        "is_worse": update.is_worse,
        "times_worse": one.times_worse + opens_again,
    }


def _resolved(station: Station, changes: Changes, known: Known, now: datetime) -> Iterator[Deed]:
    for number in changes.resolved:
        one = known.get(number)
        if one is not None and not one.is_resolved:
            facts = {"alert": _which(one), "by": ResolvedBy.CAUSE_GONE.value}
            yield Deed(Act.ALERT_RESOLVED, _subject(station, one), station.actor, now, facts)


def _ended(station: Station, changes: Changes, known: Known, now: datetime) -> Iterator[Deed]:
    for number in changes.ended:
        one = known.get(number)
        if one is not None and one.is_resolved:
            facts = {"alert": _which(one)}
            yield Deed(Act.ALERT_ENDED, _subject(station, one), station.actor, now, facts)


def _which(one: RecordedAlert) -> dict[str, object]:
    return {"number": one.number, "key": one.key, "raised_at": iso(one.raised_at)}


def _subject(station: Station, about: Matter | RecordedAlert) -> str:
    return about.docking or about.device or station.settings.station.id
