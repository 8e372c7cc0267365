"""A message in words: what happened, since when, by when, what to do, and where to look.

Pure. Times are shown by the station's clock with their offset from UTC. Whatever comes from
a card or a person is made harmless first. A message that is too long loses items from its
list, and says how many it does not show.

Each message ends with the number under which it waits in the queue: when the machine is
killed between sending a message and noting that, it is sent again, and the number shows it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from recorder_sync.catalogue.alerts import RecordedAlert
from recorder_sync.channels.harmless import Manner, harmless
from recorder_sync.channels.sending import Letter
from recorder_sync.language import Language, T, Text
from recorder_sync.rules.escalation import Address
from recorder_sync.rules.matter import MOST_SHOWN, Item, Severity
from recorder_sync.rules.recipient import Recipient

_SENTENCE = 600
"""Characters of one sentence that are shown."""
_TITLE = 120
_FEWER = (MOST_SHOWN, 10, 5, 2, 0)

SEVERITIES = {
    Severity.NOTICE: T("Notice"),
    Severity.WARNING: T("Warning"),
    Severity.BREACH: T("Breach"),
}
RECIPIENTS = {
    Recipient.OFFICER: T("officer"),
    Recipient.CUSTODIAN: T("custodian"),
    Recipient.TEAM_LEADER: T("team leader"),
    Recipient.SUPERVISOR: T("supervisor"),
}


@dataclass(frozen=True, slots=True)
class Manners:
    """How one channel wants to be written to."""

    language: Language
    zone: tzinfo
    manner: Manner
    longest: int
    """Bytes, title included."""
    station: str
    link_base: str | None
    """Where the web pages are; None: no link."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message as it stands in the queue."""

    number: int
    to: Address
    is_digest: bool
    made_at: datetime
    officer_name: str | None = None


def letter(
    envelope: Envelope, alerts: Sequence[RecordedAlert], now: datetime, manners: Manners
) -> Letter:
    """Return the message about these alerts, as they stand at `now`."""
    return _Writing(envelope, alerts, now, manners).letter()


def trial(name: str, now: datetime, manners: Manners) -> Letter:
    """Return the message that tries a channel."""
    said = [
        T("This is a test of the channel {name}: messages about alerts come here.", name=name),
        T("There is nothing to do."),
        T("Sent: {at}", at=_local(now, manners.zone)),
    ]
    lines = [harmless(one.in_language(manners.language), manners.manner) for one in said]
    title = T("[{station}] Test", station=manners.station).in_language(manners.language)
    return Letter(title, "\n".join([*lines, f"recorder-sync {manners.station}"]), Severity.NOTICE)


class _Writing:
    def __init__(
        self,
        envelope: Envelope,
        alerts: Sequence[RecordedAlert],
        now: datetime,
        manners: Manners,
    ) -> None:
        self._envelope = envelope
        self._now = now
        self._as = manners
        self._alerts = sorted(
            alerts, key=lambda one: (one.is_resolved, -one.severity.rank, one.since, one.number)
        )

    def letter(self) -> Letter:
        title = self._title()
        most = self._as.longest - len(title.encode()) - 2
        for shown in _FEWER:
            text = "\n".join(self._lines(shown))
            if len(text.encode()) <= most:
                break
        else:
            text = _cut(text, most)
        severities = [one.severity for one in self._alerts if not one.is_resolved]
        worst = max(severities, key=lambda one: one.rank, default=Severity.NOTICE)
        return Letter(title, text, worst)

    def _title(self) -> str:
        count = len(self._alerts)
        if self._envelope.is_digest:
            what = T("Not resolved: {count} alert(s)", count=count)
        elif count > 1:
            what = T("{count} alerts", count=count)
        else:
            what = self._headline(self._alerts[0])
        title = T("[{station}] {what}", station=self._as.station, what=what)
        return harmless(self._in_words(title), self._as.manner, _TITLE)

    def _headline(self, alert: RecordedAlert) -> Text:
        if alert.is_resolved:
            return T("Resolved: {what}", what=alert.text)
        return T("{severity}: {what}", severity=SEVERITIES[alert.severity], what=alert.text)

    def _lines(self, shown: int) -> Iterator[str]:
        if len(self._alerts) == 1 and not self._envelope.is_digest:
            yield from self._one(self._alerts[0], shown)
        else:
            yield from self._many(shown)
        yield self._addressee()
        made = self._envelope.made_at.astimezone(self._as.zone)
        number = f"{made:%Y-%m-%d}/{self._envelope.number}"
        yield f"recorder-sync {self._as.station} · " + self._in_words(
            T("message {number}", number=number)
        )

    def _one(self, alert: RecordedAlert, shown: int) -> Iterator[str]:
        yield self._harmless(self._headline(alert))
        yield from self._times(alert)
        yield self._harmless(T("What to do: {hint}", hint=alert.hint))
        about = (
            (T("Device"), alert.device),
            (T("Officer"), alert.officer),
            (T("Case"), alert.case),
            (T("Recording"), alert.recording),
        )
        for name, value in about:
            if value is not None:
                yield self._harmless(T("{name}: {value}", name=name, value=value))
        for item in alert.items[:shown]:
            yield "- " + self._item(item)
        if len(alert.items) > shown:
            more = T("and {count} more", count=len(alert.items) - shown)
            yield "- " + self._in_words(more)
        yield from self._link(f"alerts/{alert.number}")

    def _times(self, alert: RecordedAlert) -> Iterator[str]:
        if alert.resolved_at is not None and alert.is_resolved:
            yield self._in_words(T("Resolved since {at}", at=self._at(alert.resolved_at)))
        yield self._in_words(T("Since: {at}", at=self._at(alert.since)))
        if alert.due is not None:
            yield self._in_words(self._due(alert.due))

    def _due(self, due: datetime) -> Text:
        if self._now > due:
            late = self._length(self._now - due)
            return T("Due: {at}, {length} ago", at=self._at(due), length=late)
        left = self._length(due - self._now)
        return T("Due: {at}, in {length}", at=self._at(due), length=left)

    def _many(self, shown: int) -> Iterator[str]:
        for alert in self._alerts[:shown]:
            yield f"{alert.number}. " + self._harmless(self._headline(alert))
            yield "   " + "; ".join(self._times(alert))
        if len(self._alerts) > shown:
            more = T("and {count} more", count=len(self._alerts) - shown)
            yield self._in_words(more)
        yield self._in_words(T("What to do: recorder-sync alerts list shows each with its answer."))
        yield from self._link("alerts")

    def _addressee(self) -> str:
        to = self._envelope.to
        who = RECIPIENTS[to.recipient]
        if to.officer is None:
            return self._in_words(T("To: {who}", who=who))
        name = self._envelope.officer_name or ""
        text = T("To: {who} {name} {officer}", who=who, name=name, officer=to.officer)
        return " ".join(self._harmless(text).split())

    def _item(self, item: Item) -> str:
        # Names are often paths: what tells them apart stands at their end.
        name = item.name if len(item.name) <= _TITLE else "…" + item.name[-_TITLE:]
        said = harmless(name, self._as.manner)
        times = " – ".join(self._at(at) for at in (item.since, item.until) if at is not None)
        return f"{said} ({times})" if times else said

    def _link(self, page: str) -> Iterator[str]:
        if self._as.link_base is not None:
            yield f"{self._as.link_base.rstrip('/')}/{page}"

    def _at(self, at: datetime) -> str:
        return _local(at, self._as.zone)

    def _length(self, length: timedelta) -> Text:
        minutes = int(length.total_seconds()) // 60
        if minutes < 60:
            return T("{minutes} min", minutes=minutes)
        if minutes < 48 * 60:
            return T("{hours} h {minutes} min", hours=minutes // 60, minutes=minutes % 60)
        return T("{days} days", days=minutes // (24 * 60))

    def _in_words(self, text: Text) -> str:
        return text.in_language(self._as.language)

    def _harmless(self, text: Text) -> str:
        return harmless(self._in_words(text), self._as.manner, _SENTENCE)


def _local(at: datetime, zone: tzinfo) -> str:
    return at.astimezone(zone).isoformat(" ", "seconds")


def _cut(text: str, most: int) -> str:
    """Return the beginning that fits, and the last line: it names the message."""
    text, _, last = text.rpartition("\n")
    end = f"…\n{last}"
    return text.encode()[: max(0, most - len(end.encode()))].decode(errors="ignore") + end
