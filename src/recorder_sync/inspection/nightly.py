"""One night's verification: all records and metadata, then what has waited longest."""

from contextlib import suppress

from recorder_sync.alerts.events import resolve_events
from recorder_sync.alerts.raising import raise_alert
from recorder_sync.catalogue import alerts, verified
from recorder_sync.errors import CustodyProblem
from recorder_sync.ingest.recovery import is_intake_under_way, recover
from recorder_sync.ingest.stopping import Stop
from recorder_sync.inspection.alarm import Alarm
from recorder_sync.inspection.pace import Pace
from recorder_sync.inspection.verification import Scope, verify
from recorder_sync.language import T
from recorder_sync.model import AlertKind
from recorder_sync.rules.reverification import Night, Plan, plan
from recorder_sync.station import Station


def verify_tonight(station: Station, night: Night, stop: Stop) -> bool:
    """Do a night's work; tell whether all of it was done before its end.

    It waits while a card is being taken in. Raises MissingPart, CustodyProblem or
    CatalogueProblem when it cannot be done or entered.
    """
    settings = station.settings.verification
    pace = Pace(
        settings.rate,
        stop,
        gives_way=lambda: is_intake_under_way(station),
        ends=lambda: station.now() >= night.ends,
    )
    alarm = Alarm(station)
    with suppress(CustodyProblem):  # a log that is broken is what the verification names
        recover(station)  # what a dead intake left is no finding
    try:
        if not verify(station, Scope(), bodies=False, pace=pace, found=alarm.sound).complete:
            return False
        tonight = plan(verified.waiting(station.catalogue), night, settings.days, settings.rate)
        if tonight.can_be_kept:
            resolve_events(station, AlertKind.VERIFICATION_BEHIND)
        else:
            _tell_behind(station, tonight)
        if not tonight.chosen:
            return True
        scope = Scope(chosen=tonight.chosen)
        return verify(station, scope, pace=pace, found=alarm.sound).complete
    finally:
        alarm.sound_the_others()


def _tell_behind(station: Station, tonight: Plan) -> None:
    """Say that the days that are set cannot be kept: once, as long as it is open."""
    kind = AlertKind.VERIFICATION_BEHIND
    if any(alert.kind is kind for alert in alerts.open_alerts(station.catalogue)):
        return
    settings = station.settings.verification
    raise_alert(
        station,
        kind,
        T(
            "To re-read everything within {days} days, {needed} GB a night are needed; at "
            "{rate} MB/s a night has room for {possible}.",
            days=settings.days,
            needed=_gigabytes(tonight.needed),
            rate=settings.rate_mb_s,
            possible=_gigabytes(tonight.possible),
        ),
        T("Raise rate_mb_s or days in [verification], or make the nights longer."),
    )


def _gigabytes(size: int) -> float:
    return round(size / 1e9, 1)
