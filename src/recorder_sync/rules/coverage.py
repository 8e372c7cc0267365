"""Which enforcement has no recording, or one with holes? (Art. 16, 17)

A duty calendar or a case says that something was done between two times by an officer or
with a device. A sealed recording of that officer or device shows it; where the Measures ask
for a recording in full, everything between the times has to be shown. Whoever knows why
nothing was recorded gives a reason, and the matter is explained.

Nothing is missing while the recording may still be on its camera in good time: before the
24 hours of Art. 21 have passed it is only coming near.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from recorder_sync.language import T
from recorder_sync.model import AlertKind
from recorder_sync.rules.deadline import Deferral, after, in_force
from recorder_sync.rules.matter import Item, Matter, Severity, begun, key_of, severity_by
from recorder_sync.rules.watch_limits import USUAL, WatchLimits
from recorder_sync.timestamps import iso


class NoRecordingReason(StrEnum):
    """Why enforcement was not recorded."""

    NOT_REQUIRED = "not-required"
    DEVICE_FAULT = "device-fault"
    FORGOTTEN = "forgotten"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Span:
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class Expected:
    """Enforcement that a recording should show."""

    id: str
    span: Span
    officer: str | None = None
    """Certificate number."""
    device: str | None = None
    case: str | None = None
    in_full: bool = False
    """Whether everything has to be shown (Art. 17)."""
    reason: NoRecordingReason | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A sealed recording."""

    begins: datetime
    ends: datetime | None
    """None: unknown; then it shows the moment of its start."""
    officer: str | None = None
    device: str | None = None


def is_of(shown: Shown, expected: Expected) -> bool:
    """Tell whether a recording can show this enforcement: the officer decides, if known."""
    if expected.officer is not None and shown.officer is not None:
        return expected.officer == shown.officer
    return expected.device is not None and expected.device == shown.device


def showing(
    expected: Expected, recordings: Iterable[Shown], limits: WatchLimits
) -> list[tuple[datetime, datetime]]:
    """Return from when to when each recording lasts that shows any of it, in order."""
    span, tolerance = expected.span, limits.covered_within
    shown = sorted(
        (one.begins, one.ends or one.begins) for one in recordings if is_of(one, expected)
    )
    return [
        (begins, ends)
        for begins, ends in shown
        if begins <= after(span.ends, tolerance) and after(ends, tolerance) >= span.begins
    ]


def holes(
    expected: Expected, shown: Iterable[tuple[datetime, datetime]], limits: WatchLimits
) -> list[Span]:
    """Return the times that none of `showing` lasts through, in order; short ones left out."""
    span = expected.span
    found = []
    shown_until = span.begins
    for begins, ends in [*shown, (span.ends, span.ends)]:
        begins = min(begins, span.ends)  # noqa: PLW2901 - what is beyond the span shows nothing
        if begins - shown_until > limits.covered_within:
            found.append(Span(shown_until, begins))
        shown_until = max(shown_until, ends)
    return found


def uncovered(
    expected: Iterable[Expected],
    recordings: Sequence[Shown],
    deferrals: Sequence[Deferral],
    now: datetime,
    limits: WatchLimits = USUAL,
) -> Iterator[Matter]:
    """Yield every unexplained enforcement that is not recorded, or not as it should be.

    Where a recording in full is not asked for, one that shows any of it is enough.
    """
    found_by = _index(recordings)
    for one in expected:
        if one.reason is not None:
            continue
        due = _due(one, deferrals, limits)
        severity = severity_by(due, limits.lead, now)
        if severity is None:
            continue
        candidates = [*found_by.get((one.officer, None), ()), *found_by.get((None, one.device), ())]
        shown = showing(one, candidates, limits)
        found = holes(one, shown, limits) if shown and one.in_full else []
        if found or not shown:
            yield _matter(one, found, due, severity, limits)


def _index(recordings: Iterable[Shown]) -> dict[tuple[str | None, str | None], list[Shown]]:
    """Return the recordings by officer and by device: a month has thousands of them."""
    found: dict[tuple[str | None, str | None], list[Shown]] = {}
    for one in recordings:
        if one.officer is not None:
            found.setdefault((one.officer, None), []).append(one)
        if one.device is not None:
            found.setdefault((None, one.device), []).append(one)
    return found


def _due(one: Expected, deferrals: Iterable[Deferral], limits: WatchLimits) -> datetime:
    moved_by = in_force(deferrals, one.span.ends, one.device, one.officer)
    begin = moved_by.back_at if moved_by and moved_by.back_at else one.span.ends
    return after(begin, limits.stored_within)


def _matter(
    one: Expected, found: list[Span], due: datetime, severity: Severity, limits: WatchLimits
) -> Matter:
    who = one.officer or one.device or one.id
    if not found:
        kind = AlertKind.NO_RECORDING
        text = T("No recording shows the enforcement {id} of {who}.", id=one.id, who=who)
        items: tuple[Item, ...] = ()
    else:
        kind = AlertKind.COVERAGE_HOLE
        text = T(
            "The recording in full of the enforcement {id} of {who} has {count} hole(s).",
            id=one.id,
            who=who,
            count=len(found),
        )
        items = tuple(Item(iso(hole.begins), hole.begins, hole.ends) for hole in found)
    return Matter(
        kind=kind,
        key=key_of(kind, one.id),
        severity=severity,
        since=begun(due, limits.lead, severity),
        text=text,
        hint=T("Dock the device that recorded it, or give the reason why nothing was recorded."),
        due=due,
        device=one.device,
        officer=one.officer,
        case=one.case,
        count=max(1, len(found)),
        items=items,
    )
