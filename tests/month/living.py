"""Lives through a month with the product and with the model, and compares them at each tick."""

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime

from recorder_sync.alerts import record
from recorder_sync.catalogue import alerts as catalogue
from recorder_sync.catalogue.alerts import RecordedAlert
from recorder_sync.model import AlertKind
from recorder_sync.rules.matter import Matter
from recorder_sync.rules.reconcile import Changes
from recorder_sync.station import Station
from recorder_sync.watching.sources import all_sources
from recorder_sync.watching.station import Backups, Disk, TimeSource, Witnesses
from recorder_sync.watching.tick import Watch
from tests.month import happenings as told
from tests.month.happenings import Happening
from tests.month.naive import Seen, matters
from tests.month.naive import Station as Model
from tests.month.naive_alerts import Alert, Alerts, Change
from tests.month.naive_footage import span, undecided
from tests.month.writing import SOMEBODY, Writer, at

_OF_THIS_MACHINE = (Disk, TimeSource, Backups, Witnesses)
"""Sources that ask the machine which the tests run on."""


@dataclass(slots=True)
class Living:
    """One month, told to both."""

    opened: Callable[[], Station]
    """Opens the station, as a start of the service does."""
    officers: Iterable[str]
    model: Model = field(default_factory=Model)
    alerts: Alerts = field(default_factory=Alerts)
    writer: Writer = field(default_factory=Writer)
    ticks: int = 0
    _last: dict[int, Seen] = field(default_factory=dict)
    """What each alert on record said last, by number."""

    def through(self, story: Iterable[Happening], *, looks: bool = True) -> None:
        """Live through it; without `looks` the daemon sees nothing before the end."""
        station, watch = self.opened(), _watch()
        begun = False
        for happening in story:
            now = at(station, happening.at)
            if not begun:
                self.writer.begin(now, self.officers)
                begun = True
            match happening.what:
                case told.Tick():
                    if looks:
                        self._tick(watch, now)
                case told.Acknowledged(throw) | told.Resolved(throw):
                    self._decide(now, throw, is_resolved=isinstance(happening.what, told.Resolved))
                case _:
                    self.model.live(happening)
                    self.writer.write(now, happening.what)
            if isinstance(happening.what, told.Restarted):
                station.catalogue.close()
                station, watch = self.opened(), _watch()
            last = happening.at
        with closing(station.catalogue):
            self._tick(_watch(), at(station, last))
            self._compare_records(station)

    def _tick(self, watch: Watch, station: Station) -> None:
        now = station.now()
        self.ticks += 1
        wanted = self.alerts.look(now, matters(self.model, now), undecided(self.model))
        found = self._said(station, watch.tick(station, now))
        if sorted(found) != sorted(wanted):
            raise AssertionError(self._difference(now, found, wanted))

    def _difference(self, now: datetime, found: list[Change], wanted: list[Change]) -> str:
        """Say what only one of them said, for whoever has to find out which is right."""
        known = {(seen.kind, seen.about): seen for seen in self._last.values()}
        mine = {(seen.kind, seen.about): seen for seen in matters(self.model, now)}
        lines = [f"after {self.ticks} ticks, at {now}"]
        for who, only in (
            ("the product only", set(found) - set(wanted)),
            ("the model only", set(wanted) - set(found)),
        ):
            for what, kind, about in sorted(only):
                lines += [
                    f"  {who}: {what} {kind} {about}",
                    f"    on record {known.get((kind, about))}",
                    f"    model {mine.get((kind, about))}",
                ]
        return "\n".join(lines)

    def _said(self, station: Station, changes: Changes) -> list[Change]:
        """Return the changes in the words of the model."""
        said: list[Change] = []
        before = self._last
        for number in (*changes.resolved, *changes.ended):
            what = "resolved" if number in changes.resolved else "ended"
            said.append((what, before[number].kind, before[number].about))
        for update in changes.updated:
            seen = self._seen(update.matter)
            if seen != before[update.number]:
                said.append(("updated", seen.kind, seen.about))
        for matter in changes.opened:
            said.append(("opened", matter.kind.value, self._seen(matter).about))
        if changes != Changes():
            for one in catalogue.live(station.catalogue):
                before[one.number] = self._seen(one)
        return said

    def _decide(self, station: Station, throw: float, *, is_resolved: bool) -> None:
        states = ("open", "acknowledged") if is_resolved else ("open",)
        alert = self.alerts.chosen(throw, states)
        if alert is None:
            return
        (number,) = (
            one.number
            for one in catalogue.live(station.catalogue)
            if (seen := self._seen(one)).kind == alert.kind and seen.about == alert.about
        )
        if is_resolved:
            record.resolve(station, number, SOMEBODY, "it was dealt with")
            self.alerts.resolve(alert, station.now())
        else:
            record.acknowledge(station, number, SOMEBODY)
            self.alerts.acknowledge(alert)

    def _compare_records(self, station: Station) -> None:
        """Hold everything that is on record against everything that the model says."""
        found = Counter(map(self._recorded, catalogue.newest(station.catalogue, 1_000_000)))
        wanted = Counter(map(_expected, self.alerts.every))
        assert found - wanted == wanted - found == Counter()

    def _recorded(self, one: RecordedAlert) -> tuple[object, ...]:
        by = one.resolved_by.value if one.resolved_by else None
        life = one.state.value, one.times_worse, one.resolved_at, by
        return self._seen(one), one.raised_at, *life

    def _seen(self, one: Matter | RecordedAlert) -> Seen:
        """Return a matter in the words of the model."""
        kind, items = one.kind, one.items
        about = [part.replace("%2F", "/").replace("%25", "%") for part in one.key.split("/")[1:]]
        match kind:
            case AlertKind.DEVICE_OVERDUE:
                name = f"{about[0]} {datetime.fromisoformat(about[1]):%d%H%M%S}"
            case AlertKind.BACK_DATED_DEFERRAL:
                name = self.writer.deferral_of(about[0])
            case AlertKind.CLOCK_STEPPED | AlertKind.RESTARTED:
                name, items = "station", ()
            case AlertKind.OUTSTANDING | AlertKind.GAP | AlertKind.WRONG_DATE:
                name = about[1]
            case AlertKind.DELETED_BEFORE_INGEST:
                name = about[0].rpartition("/")[2]
            case _:
                name = about[0]
        if kind in (AlertKind.GAP, AlertKind.COVERAGE_HOLE):
            things = frozenset(
                span(item.since, item.until) for item in items if item.since and item.until
            )
        else:
            things = frozenset(item.name for item in items)
        return Seen(kind.value, name, one.severity.value, one.since, one.due, things, one.count)


def _watch() -> Watch:
    return Watch([one for one in all_sources() if not isinstance(one, _OF_THIS_MACHINE)])


def _expected(alert: Alert) -> tuple[object, ...]:
    life = alert.state, alert.times_worse, alert.resolved, alert.by
    return alert.seen, alert.opened, *life
