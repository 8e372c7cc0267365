"""Makes alerts of what one verification finds, by night or by command.

A finding is an alert at once. The first of its kind has one of its own, and the others have
one together at the end: five hundred files that lost a flag are one matter. What an open
alert names already is not raised again, whichever verification raised it. Of more than
twenty paths an alert names the first twenty: what it does not name is raised once more by a
verification that meets it in another order.
"""

import sqlite3
from collections.abc import Callable, Iterator

from recorder_sync.alerts.raising import raise_alert
from recorder_sync.catalogue import alerts
from recorder_sync.catalogue.alert_facts import text_json
from recorder_sync.catalogue.alerts import RecordedAlert
from recorder_sync.catalogue.database import explain
from recorder_sync.errors import CustodyProblem, RecorderSyncError
from recorder_sync.inspection.findings import Finding, FindingKind, Row
from recorder_sync.language import T, Text
from recorder_sync.model import AlertKind
from recorder_sync.printable import printable
from recorder_sync.station import Station

_SHOWN = 20
"""Paths in one alert."""

_BETWEEN = ", "


def _raised(problem: RecorderSyncError) -> None:
    raise problem


class Alarm:
    """The alerts of one verification, which may be of several parts."""

    def __init__(
        self, station: Station, unheard: Callable[[RecorderSyncError], None] = _raised
    ) -> None:
        """`unheard` is told why an alert could not be put on record; by default it is raised."""
        self._station = station
        self._unheard = unheard
        self._known: set[tuple[FindingKind, str, Row | None]] = set()
        self._others: dict[FindingKind, list[Finding]] = {}
        """After the first of a kind."""

    def sound(self, finding: Finding) -> None:
        """Raise an alert, or keep the finding for the end. Raises MissingPart."""
        what = (finding.kind, finding.path, finding.row)
        if what in self._known:
            return
        self._known.add(what)
        if finding.kind in self._others:
            self._others[finding.kind].append(finding)
            return
        self._others[finding.kind] = []
        if not self._is_named(finding):
            self._raise(_text(finding))

    def sound_the_others(self) -> None:
        """Raise what is left, one alert a kind. Raises MissingPart."""
        for kind, findings in self._others.items():
            if not all(self._is_named(finding) for finding in findings):
                self._raise(
                    T(
                        "Verification: {kind}, {count} more: {paths}",
                        kind=Text(kind.value),
                        count=len(findings),
                        paths=_listed(findings),
                    )
                )
        self._others = {}

    def _is_named(self, finding: Finding) -> bool:
        """Tell whether an open alert names it: as the first of its kind, or among others."""
        text = _text(finding)
        if any(text_json(one.text) == text_json(text) for one in self._standing()):
            return True
        return any(printable(finding.path) in paths for paths in self._lists(finding.kind))

    def _standing(self) -> list[RecordedAlert]:
        """Return the alerts that are open, and those whose finding a person dealt with."""
        return alerts.standing(self._station.catalogue, {AlertKind.VERIFICATION_FINDING})

    def _lists(self, kind: FindingKind) -> Iterator[list[str]]:
        for alert in self._standing():
            values = alert.text.values
            if values.get("kind") == Text(kind.value):
                yield str(values.get("paths", "")).removesuffix(" …").split(_BETWEEN)

    def _raise(self, text: Text) -> None:
        try:
            raise_alert(self._station, AlertKind.VERIFICATION_FINDING, text, _hint())
        except CustodyProblem as problem:
            self._unheard(problem)
        except sqlite3.DatabaseError as error:  # a trigger of somebody's may forbid it
            self._unheard(explain(error))


def _text(finding: Finding) -> Text:
    return T(
        "Verification: {kind}: {path}: {what}",
        kind=Text(finding.kind.value),
        path=finding.path,
        what=finding.text,
    )


def _hint() -> Text:
    return T(
        "Touch nothing, and tell the custodian. It stands in the custody log: recorder-sync "
        "custody log --subject evidence"
    )


def _listed(findings: list[Finding]) -> str:
    shown = [printable(finding.path) for finding in findings]
    return _BETWEEN.join(shown[:_SHOWN]) + (" …" if len(shown) > _SHOWN else "")
