"""Puts on record what happens to a device: issue, return, fault, repair, retirement, loss.

A move that makes no sense is refused before anything is written. The program reports
faults as well (Art. 24: read errors and file-system damage open one by themselves).
"""

from datetime import datetime

from recorder_sync.catalogue import device_events
from recorder_sync.catalogue.database import transaction
from recorder_sync.catalogue.ledger_facts import device_subject, event_facts, event_of
from recorder_sync.custodian.standing import check, registered, standing_of
from recorder_sync.custody.log import Act
from recorder_sync.errors import NotReady, UsageProblem
from recorder_sync.language import T, Text
from recorder_sync.on_record import append
from recorder_sync.rules.readiness import Reason, Verdict
from recorder_sync.rules.whereabouts import (
    Happening,
    State,
    Whereabouts,
    whereabouts,
)
from recorder_sync.station import Station


def issue(station: Station, device: str, officer: str, override: str | None = None) -> Verdict:
    """Give a device out to an officer; return what the readiness check said.

    `override` is the reason to give it out although it is not ready. An open fault cannot
    be overridden (Art. 24). Raises NotFound, UsageProblem, or NotReady with every reason.
    """
    if override is not None and not override.strip():
        raise UsageProblem(T("The reason is empty."), T("Say why, after --override."))
    db = station.catalogue
    with transaction(db):
        registered(db, device)
        standing = standing_of(db, device)
        verdict, _ = check(db, standing, station.settings.readiness)
        if standing.where.state is not State.IN_REPAIR:
            _refuse_senseless(station, device, standing.where, Happening.ISSUED)
        if not verdict.is_ready:
            _refuse_unready(device, verdict, override)
        _enter(
            station,
            device,
            event_facts(
                Happening.ISSUED,
                officer=officer,
                override=override.strip() if override else None,
                not_ready=tuple(finding.text.english for finding in verdict.reasons),
            ),
        )
    return verdict


def enter(station: Station, device: str, what: Happening, text: str | None = None) -> None:
    """Put on record that something other than an issue happened to a registered device.

    `text` says what is wrong, what was repaired, or why. Raises NotFound or UsageProblem.
    """
    if text is not None and not text.strip():
        raise UsageProblem(T("The text is empty."), T("Say in a few words what happened."))
    db = station.catalogue
    with transaction(db):
        registered(db, device)
        where = whereabouts(device_events.events_of(db, device))
        _refuse_senseless(station, device, where, what)
        _enter(station, device, event_facts(what, text=text.strip() if text else None))


def report_fault(station: Station, device: str, what: Text) -> bool:
    """Report a fault that the program found itself, unless the same one is open already.

    Returns whether it was put on record; of a retired device it is not. The device need
    not be registered. `what` should say the same each time, without numbers that change.
    """
    db = station.catalogue
    with transaction(db):
        where = whereabouts(device_events.events_of(db, device))
        is_open = any(fault.what == what.english for fault in where.open_faults)
        if is_open or not where.allows(Happening.FAULT):
            return False
        _enter(station, device, event_facts(Happening.FAULT, text=what.english))
    return True


def _enter(station: Station, device: str, facts: dict[str, object]) -> None:
    deed = station.deed(Act.DEVICE_EVENT, device_subject(device), facts)
    (entry,) = append(station, [deed])
    device_events.enter(station.catalogue, event_of(entry))


def _refuse_unready(device: str, verdict: Verdict, override: str | None) -> None:
    is_faulty = any(finding.reason is Reason.OPEN_FAULT for finding in verdict.reasons)
    if override is not None and not is_faulty:
        return
    raise NotReady(
        T("Device {number} may not go out.", number=device),
        [finding.text for finding in verdict.reasons],
        T("Have it repaired, then run: recorder-sync devices repair {number}", number=device)
        if is_faulty
        else T("Mend it, or give a reason with --override; it is put on record."),
    )


def _refuse_senseless(station: Station, device: str, where: Whereabouts, what: Happening) -> None:
    if where.allows(what):
        return
    match where.state:
        case State.ISSUED:
            text = T(
                "Device {number} is issued to {officer} since {since}.",
                number=device,
                officer=where.officer or "?",
                since=_local(station, where.since),
            )
            hint = T("When it is back, run: recorder-sync devices return {number}", number=device)
        case State.LOST:
            text = T("Device {number} is on record as lost.", number=device)
            hint = T("When it turns up, run: recorder-sync devices found {number}", number=device)
        case State.RETIRED:
            text = T("Device {number} is retired.", number=device)
            hint = T("Nothing more is entered for it; register a new device instead.")
        case State.IN_STORE | State.IN_REPAIR:
            text = T("Device {number} is in store.", number=device)
            hint = T("recorder-sync devices log {number} shows what happened.", number=device)
    raise UsageProblem(text, hint)


def _local(station: Station, moment: datetime | None) -> str:
    zone = station.settings.station.zone
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}" if moment else "?"
