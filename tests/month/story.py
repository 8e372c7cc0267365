"""Makes up a month of a station: the same for the same seed, whatever it is told to.

Each camera has an officer and a fate of its own: worn every day, lent for a shift, lost,
in repair, off on a boat. What is put on record needs the station's computer, so it waits
while that is without power. Which of all this is a matter, nobody here knows.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from random import Random
from zoneinfo import ZoneInfo

from tests.month.happenings import (
    Acknowledged,
    CameBack,
    ClockSet,
    Deferred,
    Happening,
    Held,
    OnDuty,
    Registered,
    Resolved,
    Restarted,
    Tick,
    Unplugged,
    What,
)

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Plan:
    """How large a month is."""

    seed: int
    days: int = 30
    devices: int = 30
    officers: int = 20
    every: timedelta = HOUR
    """Between two ticks."""
    sharp: float = 0.25
    """How much of what may begin to be so is looked at in that second."""
    zone: str = "Asia/Shanghai"
    first: date = date(2026, 10, 24)
    """The clocks change on 25 October in Europe, on 1 November in America."""

    @property
    def begins(self) -> datetime:
        midnight = datetime.combine(self.first, time(0), ZoneInfo(self.zone))
        return midnight.astimezone(UTC)


@dataclass(slots=True)
class Telling:
    """The story so far, by true time, and when the power is off."""

    plan: Plan
    random: Random
    told: list[tuple[datetime, What]] = field(default_factory=list)
    off: list[tuple[datetime, datetime]] = field(default_factory=list)
    looked_at: list[datetime] = field(default_factory=list)
    """Times at which something may just begin to be so: worth a tick of their own."""

    @property
    def zone(self) -> tzinfo:
        return ZoneInfo(self.plan.zone)

    @property
    def ends(self) -> datetime:
        return self.plan.begins + self.plan.days * DAY

    def local(self, day: int, at: time) -> datetime:
        """Return a local time of a day of the month, in UTC."""
        return datetime.combine(self.plan.first + day * DAY, at, self.zone).astimezone(UTC)

    def when_on(self, at: datetime) -> datetime:
        """Return `at`, or soon after the power is back."""
        for gone, back in self.off:
            if gone <= at < back:
                return back + self.random.randint(5, 90) * MINUTE
        return at

    def power_cut_within(
        self, begins: datetime, ends: datetime
    ) -> tuple[datetime, datetime] | None:
        return next((cut for cut in self.off if begins <= cut[0] < ends), None)

    def tell(self, at: datetime, what: What) -> None:
        self.told.append((at, what))

    def enter(self, at: datetime, what: What) -> datetime:
        """Tell it as soon as the computer is on; return when."""
        on = self.when_on(at)
        self.tell(on, what)
        return on


def story(plan: Plan) -> list[Happening]:
    """Return everything that happens, in order, with the time on the station's clock."""
    # Imported here: both tell parts of the same story.
    from tests.month.cameras import live

    telling = Telling(plan, Random(f"month {plan.seed}"))
    _cut_the_power(telling)
    names = [f"{number:04d}" for number in range(1, plan.devices + 1)]
    officers = [f"1301{number:04d}" for number in range(1, plan.officers + 1)]
    duties = {officer: _duties(telling, officer) for officer in officers}
    for number, device in enumerate(names):
        telling.tell(telling.plan.begins, Registered(device, f"CARD-{device}"))
        live(telling, device, _officer(number, plan), duties)
    _strangers(telling)
    _office(telling)
    _ticks(telling)
    return _by_the_stations_clock(telling)


def _officer(number: int, plan: Plan) -> tuple[str, str, int] | None:
    """Return how a device is used, by whom, and which of his devices it is."""
    own = plan.officers * 4 // 5
    if number < own:
        return "own", f"1301{number + 1:04d}", 0
    lent = number - own
    if lent < 2 * (plan.officers - own):
        return "lent", f"1301{own + lent // 2 + 1:04d}", lent % 2
    return None


def _cut_the_power(telling: Telling) -> None:
    random, plan = telling.random, telling.plan
    day = random.randint(plan.days // 5, plan.days // 2)
    begins = telling.local(day, time(random.randint(9, 23), random.randint(0, 59)))
    telling.off.append((begins, begins + random.randint(1, 72) * HOUR + 7 * MINUTE))
    late = telling.local(plan.days - 2, time(16, 40))
    telling.off.append((late, late + random.randint(20, 200) * MINUTE))


def _duties(telling: Telling, officer: str) -> list[OnDuty]:
    """Make up the shifts of an officer, and enter them all on the first day."""
    random = telling.random
    made: list[OnDuty] = []
    for day in range(telling.plan.days):
        if random.random() < 0.35 or (made and made[-1].ends > telling.local(day, time(7))):
            continue
        begins, length = random.choice(
            [(time(8, 30), 9 * HOUR), (time(8), 10 * HOUR), (time(20), 10 * HOUR)]
        )
        start = telling.local(day, begins)
        made.append(OnDuty(f"duty-{officer}-{day}", officer, start, start + length))
    for duty in made:
        telling.tell(telling.plan.begins + 2 * MINUTE, duty)
        telling.looked_at += [duty.ends + 20 * HOUR, duty.ends + 24 * HOUR]
    return made


def _strangers(telling: Telling) -> None:
    """Unknown devices are plugged in; one of them is registered later, while it waits."""
    random = telling.random
    for number in range(max(1, telling.plan.days // 10)):
        at = telling.when_on(
            telling.plan.begins + random.random() * (telling.ends - HOUR - telling.plan.begins)
        )
        docking, card = f"held-{number}", f"STRANGE-{number}"
        stay = timedelta(minutes=random.choice([5, 300, 1300, 2000]))
        if telling.power_cut_within(at, at + stay):
            continue
        telling.tell(at, Held(docking, "9-1", card))
        telling.tell(at + stay, Unplugged(docking))


def _office(telling: Telling) -> None:
    """People work through the alerts; the clock is set; the service begins again."""
    random, plan = telling.random, telling.plan
    for day in range(plan.days):
        for _ in range(random.randint(0, 4)):
            at = telling.local(day, time(random.randint(8, 18), random.randint(0, 59)))
            what = Acknowledged if random.random() < 0.6 else Resolved
            telling.enter(at, what(random.random()))
    seconds = random.choice([1.5, 40.0, 900.0, 3700.0])
    forward = telling.local(plan.days // 3, time(11, 11, 11))
    back = telling.local(plan.days * 2 // 3, time(10, 10, 10))
    if random.random() < 0.5:
        seconds = -seconds
    telling.enter(forward, ClockSet(seconds))
    telling.enter(back, ClockSet(-seconds))
    for number in range(max(1, plan.days // 6)):
        at = plan.begins + random.random() * (telling.ends - plan.begins)
        telling.enter(at, Restarted(by_watchdog=number == 0))
    for _, on in telling.off:
        telling.tell(on, Restarted())


def _ticks(telling: Telling) -> None:
    at = telling.plan.begins + 3 * MINUTE
    times = []
    while at < telling.ends:
        times.append(at)
        at += telling.plan.every
    times += [at for at, what in telling.told if isinstance(what, Unplugged)]
    second = timedelta(seconds=1)
    for moment in telling.random.sample(
        telling.looked_at, round(len(telling.looked_at) * telling.plan.sharp)
    ):
        if telling.plan.begins + HOUR < moment < telling.ends:
            times += [moment, moment + second]
    for moment in sorted(set(times)):
        if not any(gone <= moment < back for gone, back in telling.off):
            telling.tell(moment, Tick())


def _by_the_stations_clock(telling: Telling) -> list[Happening]:
    offset, told = timedelta(0), []
    # Python sorts stably: what is told first of one moment stays first, and ticks are last.
    for at, what in sorted(telling.told, key=lambda one: (one[0], isinstance(one[1], Tick))):
        if at > telling.ends:
            break
        if isinstance(what, ClockSet):
            offset += timedelta(seconds=what.seconds)
        told.append(_said_at(_to_milliseconds(at + offset), what))
    return told


def _said_at(shown: datetime, what: What) -> Happening:
    """Nobody says at a time of the station that something was later than that."""
    match what:
        case Deferred(approved_at=approved) if approved:
            what = replace(what, approved_at=min(approved, shown))
        case CameBack():
            what = replace(what, at=min(what.at, shown))
    return Happening(shown, what)


def _to_milliseconds(at: datetime) -> datetime:
    return at.replace(microsecond=at.microsecond // 1000 * 1000)
