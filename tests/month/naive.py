"""What is a matter at a station, by `docs/deadlines.md` and the Measures, the slow way.

Written from the page and not from the program: it imports nothing of it (a test looks).
Everything that ever happened is kept, and each question goes through all of it again.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from tests.month import happenings as told
from tests.month.happenings import File, Happening, Plugged

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
LIMIT = 24 * HOUR
LEAD = 4 * HOUR

NOTICE, WARNING, BREACH = "notice", "warning", "breach"


@dataclass(frozen=True, slots=True)
class Seen:
    """A matter, as far as the page says what it is."""

    kind: str
    about: str
    """The device or card, or what else it is of."""
    severity: str
    since: datetime
    due: datetime | None = None
    things: frozenset[str] = frozenset()
    count: int = 1


@dataclass(slots=True)
class Stay:
    plugged: Plugged
    began: datetime
    taken_in: bool = False
    interrupted: bool = False
    ended: datetime | None = None
    unreadable: int = 0


@dataclass(slots=True)
class Deferral:
    said: told.Deferred
    entered: datetime
    approved: datetime | None
    returned: datetime | None = None

    @property
    def back(self) -> datetime:
        return self.returned or self.said.expected

    def is_for(self, device: str | None, officer: str | None) -> bool:
        said = self.said
        if self.approved is None:
            return False
        if said.device is not None and said.device != device:
            return False
        return said.officer is None or said.officer == officer

    def counts_for(self, moment: datetime, device: str | None, officer: str | None) -> bool:
        said = self.said
        if not self.is_for(device, officer):
            return False
        return said.begins <= moment <= self.back


@dataclass(slots=True)
class Station:
    """Everything that happened so far."""

    registered: dict[str, datetime] = field(default_factory=dict)
    moves: dict[str, list[tuple[datetime, told.Moved]]] = field(default_factory=dict)
    stays: dict[str, Stay] = field(default_factory=dict)
    """By docking."""
    by_device: dict[str, list[Stay]] = field(default_factory=dict)
    listed: dict[tuple[str, str, int, datetime], tuple[datetime, File]] = field(
        default_factory=dict
    )
    """Every file that was ever on a card, and when the station first saw it."""
    numbers: dict[str, list[tuple[datetime, int]]] = field(default_factory=dict)
    sealed: list[tuple[datetime, str, File]] = field(default_factory=list)
    """When, at which docking, and what."""
    sealed_ids: set[str] = field(default_factory=set)
    sealed_on: dict[date, list[File]] = field(default_factory=dict)
    """By the day on which it begins."""
    films: dict[str, list[File]] = field(default_factory=dict)
    """Sealed video and audio of which the end is known, by device."""
    deferrals: list[Deferral] = field(default_factory=list)
    shifts: list[told.OnDuty] = field(default_factory=list)
    enforcement: list[told.Enforcement] = field(default_factory=list)
    reasons: set[str] = field(default_factory=set)
    explained: dict[str, list[told.WhyInterrupted]] = field(default_factory=dict)
    """By device."""
    clock_steps: list[tuple[datetime, float]] = field(default_factory=list)
    restarts: list[datetime] = field(default_factory=list)
    held: dict[str, tuple[datetime, told.Held]] = field(default_factory=dict)
    """Unknown devices that wait on a port."""

    def live(self, happening: Happening) -> None:
        at, what = happening.at, happening.what
        match what:
            case told.Registered(device):
                self.registered[device] = at
            case told.Moved(device):
                self.moves.setdefault(device, []).append((at, what))
            case Plugged():
                self._plug_in(at, what)
            case told.Sealed(docking, files):
                self.sealed += [(at, docking, file) for file in files]
                self.sealed_ids |= {file.recording for file in files}
                for file in files:
                    self.sealed_on.setdefault(file.begins.date(), []).append(file)
                    if file.kind in ("video", "audio") and file.ends is not None:
                        self.films.setdefault(file.device, []).append(file)
            case told.Failed(docking, files, unreadable):
                self._stay(docking).unreadable = len(files) if unreadable else 0
            case told.TakenIn(docking, interrupted):
                self._stay(docking).taken_in = True
                self._stay(docking).interrupted = interrupted
            case told.Unplugged(docking):
                if self.held.pop(docking, None) is None:
                    self._stay(docking).ended = at
            case told.Deferred():
                self.deferrals.append(Deferral(what, at, what.approved_at))
            case told.Approved(name):
                self._deferral(name).approved = at
            case told.CameBack(name, back):
                self._deferral(name).returned = back
            case told.OnDuty():
                self.shifts.append(what)
            case told.Enforcement():
                self.enforcement.append(what)
            case told.WhyNotRecorded(name):
                self.reasons.add(name)
            case told.WhyInterrupted():
                self.explained.setdefault(what.device, []).append(what)
            case told.ClockSet(seconds):
                self.clock_steps.append((at, seconds))
            case told.Restarted(by_watchdog=True):
                self.restarts.append(at)
            case told.Held(docking):
                self.held[docking] = (at, what)

    def _plug_in(self, at: datetime, what: Plugged) -> None:
        assert what.device is not None
        stay = Stay(what, at)
        self.stays[what.docking] = stay
        self.by_device.setdefault(what.device, []).append(stay)
        for file in what.files:
            key = (file.device, file.name, file.size, file.mtime)
            if key not in self.listed:
                self.listed[key] = (at, file)
            self.numbers.setdefault(file.device, []).append((at, file.counter))

    def _stay(self, docking: str) -> Stay:
        return self.stays[docking]

    def _deferral(self, name: str) -> Deferral:
        return next(one for one in self.deferrals if one.said.id == name)

    # What the page calls them.

    def stays_of(self, device: str) -> list[Stay]:
        return self.by_device.get(device, [])

    def outstanding(self) -> dict[str, list[tuple[datetime, File]]]:
        found: dict[str, list[tuple[datetime, File]]] = {}
        for seen, file in self.listed.values():
            if file.recording not in self.sealed_ids:
                found.setdefault(file.device, []).append((seen, file))
        return found

    def holder(self, device: str, moment: datetime) -> str | None:
        """Return who had a device then: a file that was not read does not tell whose it is."""
        officer = None
        for at, move in self.moves.get(device, []):
            if at <= moment and move.what not in ("fault", "repaired"):
                officer = move.officer
        return officer

    def is_new(self, file: File) -> bool:
        """Tell whether no docking but one that is just taking it in has listed it."""
        return not any(
            file in stay.plugged.files for stay in self.stays_of(file.device) if stay.taken_in
        )

    def due(self, moment: datetime, device: str | None, officer: str | None) -> datetime:
        """Return 24 hours after `moment`, or after the latest return that counts for it."""
        start = moment
        for one in self.deferrals:
            if one.counts_for(moment, device, officer) and one.back > start:
                start = one.back
        return start + LIMIT


def how_bad(due: datetime, now: datetime) -> tuple[str, datetime] | None:
    """Return what something due is at `now`, and since when."""
    if now > due:
        return BREACH, due
    if now >= due - LEAD:
        return WARNING, due - LEAD
    return None


def matters(station: Station, now: datetime) -> list[Seen]:
    """Return everything that is a matter at `now`."""
    from tests.month import naive_devices, naive_footage

    return [
        *outstanding_recordings(station, now),
        *back_dated(station),
        *naive_footage.without_recording(station, now),
        *naive_footage.interruptions(station),
        *naive_footage.holes_in_numbers(station),
        *naive_footage.deleted(station),
        *naive_footage.impossible_dates(station),
        *naive_devices.overdue(station, now),
        *naive_devices.not_docked(station, now),
        *naive_devices.faulty(station),
        *naive_devices.happened_to_the_station(station, now),
    ]


def outstanding_recordings(station: Station, now: datetime) -> list[Seen]:
    found = []
    for docking, (since, held) in station.held.items():
        bad = how_bad(since + LIMIT, now)
        if bad is not None:
            port = frozenset({held.port})
            found.append(Seen("outstanding", docking, *bad, since + LIMIT, port))
    for device, files in station.outstanding().items():
        limits = {}
        for seen, file in files:
            claimed = file.ends or file.mtime
            ended = min(claimed, seen)
            due = station.due(ended, device, station.holder(device, ended))
            if not station.is_new(file) or (how_bad(due, now) and now - seen > HOUR):
                limits[file.name] = due
        if not limits:
            continue
        first = min(limits.values())
        bad = how_bad(first, now)
        if bad is not None:
            found.append(Seen("outstanding", device, *bad, first, frozenset(limits), len(limits)))
    return found


def back_dated(station: Station) -> list[Seen]:
    found = []
    for one in station.deferrals:
        if one.approved is None:
            continue
        ends = [
            file.ends or file.begins
            for _, _, file in station.sealed
            if one.counts_for(file.ends or file.begins, file.device, file.officer)
        ]
        first = min(ends, default=one.said.begins)
        late = max(one.entered, one.approved) > first + LIMIT
        if late or one.entered - one.approved > HOUR:
            since = max(one.entered, one.approved)
            found.append(Seen("back-dated-deferral", one.said.id, NOTICE, since))
    return found
