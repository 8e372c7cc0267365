"""Which recordings are one action, and where is it interrupted? (Art. 20)

Consecutive recordings of a device are one action; after a longer pause a new one begins.
A camera splits long recordings into files: a pause of a few seconds between two of them, or
a second file that begins before the first ends, is no interruption. Every other pause in an
action is a gap, and somebody has to say why: by voice when the recording resumes, or in
writing with two different officers.

What counts is when the camera was not recording, whatever the files are called and in
whatever order they arrive. Photos are not looked at: they continue nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from recorder_sync.language import T
from recorder_sync.model import AlertKind
from recorder_sync.rules.matter import Item, Matter, Severity, key_of, only
from recorder_sync.rules.outstanding import Outstanding, Why
from recorder_sync.rules.watch_limits import USUAL, WatchLimits


@dataclass(frozen=True, slots=True)
class Piece:
    """A sealed video or audio recording."""

    recording: str
    device: str
    begins: datetime
    ends: datetime
    officer: str | None = None
    case: str | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """A time within an action in which the device did not record."""

    before: str
    """The recording that ended last before it."""
    after: str
    """The recording with which it was resumed."""
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class Action:
    device: str
    pieces: tuple[Piece, ...]
    """By their start."""
    gaps: tuple[Gap, ...]

    @property
    def begins(self) -> datetime:
        return self.pieces[0].begins

    @property
    def ends(self) -> datetime:
        return max(piece.ends for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class GapExplanation:
    """Why a device did not record from `begins` to `ends`."""

    device: str
    begins: datetime
    ends: datetime
    recording: str | None = None
    """Where it is said by voice."""
    at_second: float | None = None
    """From the start of that recording."""
    officers: frozenset[str] = frozenset()
    """Certificate numbers of those who signed the written explanation."""

    def explains(self, gap: Gap, action: Action) -> bool:
        """Tell whether it covers the whole gap, and is given as Art. 20 asks.

        By voice: in a recording of the action that goes on after the gap.
        """
        if self.device != action.device or self.begins > gap.begins or self.ends < gap.ends:
            return False
        return len(self.officers) >= 2 or any(self._is_said_in(p, gap) for p in action.pieces)

    def _is_said_in(self, piece: Piece, gap: Gap) -> bool:
        if piece.recording != self.recording or self.at_second is None:
            return False
        length = (piece.ends - piece.begins).total_seconds()
        return piece.begins >= gap.ends and 0 <= self.at_second <= length


def actions(pieces: Iterable[Piece], limits: WatchLimits = USUAL) -> list[Action]:
    """Return the actions that these recordings are, by device and start."""
    found: list[Action] = []
    in_order = sorted(pieces, key=lambda p: (p.device, p.begins, p.ends, p.recording))
    for device, of_device in groupby(in_order, key=lambda piece: piece.device):
        found.extend(_actions_of(device, list(of_device), limits))
    return found


def _actions_of(device: str, pieces: Sequence[Piece], limits: WatchLimits) -> Iterator[Action]:
    of_action: list[Piece] = []
    gaps: list[Gap] = []
    last: Piece | None = None
    for piece in pieces:
        pause = piece.begins - last.ends if last else None
        if last and pause and pause > limits.action_pause:
            yield Action(device, tuple(of_action), tuple(gaps))
            of_action, gaps = [], []
        elif last and pause and pause > limits.split:
            gaps.append(Gap(last.recording, piece.recording, last.ends, piece.begins))
        of_action.append(piece)
        last = piece if last is None or piece.ends > last.ends else last
    if of_action:
        yield Action(device, tuple(of_action), tuple(gaps))


def unexplained_gaps(action: Action, explanations: Iterable[GapExplanation]) -> tuple[Gap, ...]:
    given = list(explanations)
    return tuple(gap for gap in action.gaps if not any(one.explains(gap, action) for one in given))


def unexplained(
    pieces: Iterable[Piece],
    explanations: Sequence[GapExplanation],
    limits: WatchLimits = USUAL,
    outstanding: Iterable[Outstanding] = (),
) -> Iterator[Matter]:
    """Yield a matter for each action with gaps that nobody explained.

    What is `outstanding` on a card would look like a gap: an action that it may be part of
    is left out. Actions of other days are not, as a file that is lost stays outstanding.
    """
    ends = _ends(outstanding)
    for action in actions(pieces, limits):
        found = unexplained_gaps(action, explanations)
        if not found or _may_go_on(action, ends.get(action.device, ()), limits.action_pause):
            continue
        first = action.pieces[0].recording
        yield Matter(
            kind=AlertKind.GAP,
            key=_key(action),
            severity=Severity.WARNING,
            since=found[0].begins,
            text=T(
                "Device {device} did not record throughout one action: {count} interruption(s)"
                " that nobody explained.",
                device=action.device,
                count=len(found),
            ),
            hint=T(
                "Say where in the recording it is explained, or enter a written explanation"
                " of two officers."
            ),
            device=action.device,
            recording=first,
            officer=only(piece.officer for piece in action.pieces),
            case=only(piece.case for piece in action.pieces),
            count=len(found),
            items=tuple(Item(gap.after, gap.begins, gap.ends) for gap in found),
        )


def undecided(
    pieces: Iterable[Piece], limits: WatchLimits, outstanding: Iterable[Outstanding]
) -> Iterator[str]:
    """Yield the keys of the actions that `unexplained` leaves out for what is outstanding."""
    ends = _ends(outstanding)
    for action in actions(pieces, limits):
        if _may_go_on(action, ends.get(action.device, ()), limits.action_pause):
            yield _key(action)


def _key(action: Action) -> str:
    return key_of(AlertKind.GAP, action.device, action.pieces[0].recording)


def _ends(outstanding: Iterable[Outstanding]) -> dict[str | None, list[datetime]]:
    """Return when the recordings ended that are on cards only, by device."""
    ends: dict[str | None, list[datetime]] = {}
    for one in outstanding:
        if one.why is not Why.QUEUED:
            ends.setdefault(one.device, []).append(one.ended_at or one.mtime)
    return ends


def _may_go_on(action: Action, ends: Iterable[datetime], pause: timedelta) -> bool:
    """Tell whether recordings that ended then may be part of an action."""
    return any(action.begins - end <= pause and end - action.ends <= pause for end in ends)
