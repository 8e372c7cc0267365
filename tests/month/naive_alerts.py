"""How an alert lives, by the table on the page: opened once, resolved once."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from tests.month.naive import BREACH, NOTICE, WARNING, Seen

_BAD = (NOTICE, WARNING, BREACH)


@dataclass(slots=True)
class Alert:
    kind: str
    about: str
    opened: datetime
    said: list[tuple[datetime, Seen]] = field(default_factory=list)
    """When it said what, each time that this changed."""
    state: str = "open"
    resolved: datetime | None = None
    by: str | None = None
    times_worse: int = 0
    """How often it was worse after somebody had acknowledged it."""
    ended: bool = False
    """Its matter was gone after a person resolved it."""

    @property
    def seen(self) -> Seen:
        return self.said[-1][1]


Change = tuple[str, str, str]
"""What became of an alert, its kind and what it is about."""


@dataclass(slots=True)
class Alerts:
    every: list[Alert] = field(default_factory=list)

    def look(
        self, now: datetime, matters: Iterable[Seen], undecided: Collection[tuple[str, str]] = ()
    ) -> list[Change]:
        """Hold the alerts against everything that is a matter now; return what changed.

        `undecided` are those of which nobody can say whether they are: they stay as they are.
        """
        there = {(seen.kind, seen.about): seen for seen in matters}
        changes = []
        for seen in there.values():
            what = self._found(now, seen)
            if what is not None:
                changes.append((what, seen.kind, seen.about))
        for alert in self.every:
            about = (alert.kind, alert.about)
            if about in there or about in undecided:
                continue
            if alert.state != "resolved":
                self._resolve(alert, now, "cause-gone")
                changes.append(("resolved", alert.kind, alert.about))
            elif not alert.ended:
                changes.append(("ended", alert.kind, alert.about))
            alert.ended = True
        return changes

    def _found(self, now: datetime, seen: Seen) -> str | None:
        last = self._newest(seen)
        if last is None or (last.state == "resolved" and last.ended):
            return self._open(now, seen)
        if last.state == "resolved":
            return self._open(now, seen) if is_worse(seen, last.seen) else None
        if seen != last.seen:
            if last.state == "acknowledged" and is_worse(seen, last.seen):
                last.state = "open"
                last.times_worse += 1
            last.said.append((now, seen))
            return "updated"
        return None

    def _open(self, now: datetime, seen: Seen) -> str:
        self.every.append(Alert(seen.kind, seen.about, now, [(now, seen)]))
        return "opened"

    def _newest(self, seen: Seen) -> Alert | None:
        for alert in reversed(self.every):
            if (alert.kind, alert.about) == (seen.kind, seen.about):
                return alert
        return None

    @staticmethod
    def _resolve(alert: Alert, now: datetime, by: str) -> None:
        alert.state, alert.resolved, alert.by = "resolved", now, by

    # What people do.

    def chosen(self, throw: float, states: tuple[str, ...]) -> Alert | None:
        """Return the alert that a person picks of those in these states."""
        there = [alert for alert in self.every if alert.state in states]
        there.sort(key=lambda alert: (alert.kind, alert.about))
        return there[int(throw * len(there))] if there else None

    def acknowledge(self, alert: Alert) -> None:
        alert.state = "acknowledged"

    def resolve(self, alert: Alert, now: datetime) -> None:
        self._resolve(alert, now, "person")


def is_worse(seen: Seen, before: Seen) -> bool:
    """More severe or, at the same severity, more things or other things than before."""
    if seen.severity != before.severity:
        return _BAD.index(seen.severity) > _BAD.index(before.severity)
    return seen.count > before.count or not seen.things <= before.things
