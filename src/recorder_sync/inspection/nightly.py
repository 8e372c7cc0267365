"""One night's verification: all records and metadata, then what has waited longest.

A finding is an alert at once. The first of its kind has one of its own, and the others of
the night have one together: five hundred files that lost a flag are one matter.
"""

from collections.abc import Iterable
from contextlib import suppress

from recorder_sync.alerts.raising import raise_alert
from recorder_sync.catalogue import alerts, verified
from recorder_sync.errors import CustodyProblem
from recorder_sync.ingest.recovery import is_intake_under_way, recover
from recorder_sync.ingest.stopping import Stop
from recorder_sync.inspection.findings import Finding, FindingKind, Row
from recorder_sync.inspection.pace import Pace
from recorder_sync.inspection.verification import Scope, verify
from recorder_sync.language import T, Text
from recorder_sync.model import AlertKind
from recorder_sync.printable import printable
from recorder_sync.rules.reverification import Night, Plan, plan
from recorder_sync.station import Station

_SHOWN = 20
"""Paths in one alert."""


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
    alarm = _Alarm(station)
    with suppress(CustodyProblem):  # a log that is broken is what the verification names
        recover(station)  # what a dead intake left is no finding
    try:
        if not verify(station, Scope(), bodies=False, pace=pace, found=alarm.sound).complete:
            return False
        tonight = plan(verified.waiting(station.catalogue), night, settings.days, settings.rate)
        if not tonight.can_be_kept:
            alarm.behind(tonight)
        if not tonight.chosen:
            return True
        scope = Scope(chosen=tonight.chosen)
        return verify(station, scope, pace=pace, found=alarm.sound).complete
    finally:
        alarm.sound_the_others()


class _Alarm:
    """The alerts of one night."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._known: set[tuple[FindingKind, str, Row | None]] = set()
        self._others: dict[FindingKind, list[str]] = {}
        """After the first of a kind: paths."""

    def sound(self, finding: Finding) -> None:
        what = (finding.kind, finding.path, finding.row)
        if what in self._known:
            return
        self._known.add(what)
        if finding.kind in self._others:
            self._others[finding.kind].append(finding.path)
            return
        self._others[finding.kind] = []
        self._raise(
            T(
                "Verification: {kind}: {path}: {what}",
                kind=Text(finding.kind.value),
                path=finding.path,
                what=finding.text,
            )
        )

    def sound_the_others(self) -> None:
        for kind, paths in self._others.items():
            if paths:
                self._raise(
                    T(
                        "Verification: {kind}, {count} more: {paths}",
                        kind=Text(kind.value),
                        count=len(paths),
                        paths=_listed(paths),
                    )
                )
        self._others = {}

    def behind(self, tonight: Plan) -> None:
        """Say that the days that are set cannot be kept: once, as long as it is open."""
        kind = AlertKind.VERIFICATION_BEHIND
        if any(alert.kind is kind for alert in alerts.open_alerts(self._station.catalogue)):
            return
        settings = self._station.settings.verification
        raise_alert(
            self._station,
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

    def _raise(self, text: Text) -> None:
        hint = T(
            "Touch nothing, and tell the custodian. It stands in the custody log: recorder-sync "
            "custody log --subject evidence"
        )
        raise_alert(self._station, AlertKind.VERIFICATION_FINDING, text, hint)


def _listed(paths: Iterable[str]) -> str:
    shown = [printable(path) for path in paths]
    return ", ".join(shown[:_SHOWN]) + (" …" if len(shown) > _SHOWN else "")


def _gigabytes(size: int) -> float:
    return round(size / 1e9, 1)
