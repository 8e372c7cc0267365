"""What one camera and its officer do in a month, from shift to shift."""

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from random import Random

from tests.month import paperwork
from tests.month.happenings import (
    Failed,
    File,
    Moved,
    OnDuty,
    Plugged,
    Sealed,
    TakenIn,
    Unplugged,
)
from tests.month.story import DAY, HOUR, MINUTE, Telling

SECOND = timedelta(seconds=1)
_PAUSES = (0, 0, 2, 3, 5, -3, -600, 6, 90, 700, 1799, 1800, 1801, 4000)
"""Seconds between two files: splits, overlaps, interruptions, and new actions."""


@dataclass(slots=True)
class Camera:
    telling: Telling
    number: str
    officer: str | None
    random: Random
    counter: int
    clock_off: timedelta
    names_officer: bool
    card: list[File] = field(default_factory=list)
    not_sealed: set[str] = field(default_factory=set)
    """Of what is on the card."""
    since: datetime | None = None
    """Nothing that happens to it is before that: one thing after the other."""
    issued: bool = False
    dockings: int = 0
    made: int = 0
    away_until: datetime | None = None
    """Out on a deferral."""

    def at(self, moment: datetime) -> datetime:
        """Return when it happens: after what was before, and with the power on."""
        after = self.since + SECOND if self.since else moment
        on = self.telling.when_on(max(moment, after))
        self.since = on
        return on

    def move(self, moment: datetime, what: str, officer: str | None = None) -> None:
        self.telling.tell(self.at(moment), Moved(self.number, what, officer))


def live(
    telling: Telling,
    device: str,
    used: tuple[str, str, int] | None,
    duties: dict[str, list[OnDuty]],
) -> None:
    random = Random(f"month {telling.plan.seed} camera {device}")
    camera = Camera(
        telling,
        device,
        used[1] if used else None,
        random,
        counter=random.choice([1, 1, 9980]),
        clock_off=timedelta(seconds=random.choice([0, 0, 0, 0, 4, -45, 90, 420])),
        names_officer=random.random() < 0.85,
    )
    if used is None:
        _kept(camera)
        return
    how, officer, which = used
    shifts = duties[officer]
    fate = random.choice(["well"] * 7 + ["lost", "reported", "repaired"])
    doom = telling.plan.begins + telling.plan.days * DAY * random.uniform(0.3, 0.7)
    if how == "own":
        first = telling.local(0, time(random.randint(7, 15), random.randint(0, 59)))
        camera.move(first, "issued", officer)
        camera.issued = True
    else:
        shifts = shifts[which::2]
    for number, shift in enumerate(shifts):
        if fate != "well" and shift.begins > doom:
            _meet(camera, fate, doom)
            if fate != "repaired":
                return
            fate = "well"
        following = shifts[number + 1].begins if number + 1 < len(shifts) else telling.ends
        if how == "lent" and not camera.issued:
            camera.move(shift.begins - 20 * MINUTE, "issued", officer)
            camera.issued = True
        _work(camera, shift)
        _after_work(camera, shift, following, how)


def _kept(camera: Camera) -> None:
    """A device that lies in store: perhaps docked once, perhaps retired."""
    random, telling = camera.random, camera.telling
    if random.random() < 0.5:
        day = random.randint(0, telling.plan.days - 2)
        _dock(camera, telling.local(day, time(10, random.randint(0, 59))), "complete")
    if random.random() < 0.3:
        camera.move(telling.local(telling.plan.days * 3 // 5, time(15)), "retired")


def _meet(camera: Camera, fate: str, doom: datetime) -> None:
    """A camera that is lost is not seen again; one that breaks comes back."""
    random = camera.random
    if fate == "lost":
        return
    if fate == "reported":
        camera.move(doom + random.randint(1, 5) * DAY, "lost")
        if random.random() < 0.4:
            camera.move(doom + random.randint(6, 9) * DAY, "found")
        return
    if camera.issued:
        camera.move(doom, "returned")
    camera.move(doom, "fault")
    camera.move(doom + random.randint(1, 9) * DAY, "repaired")
    camera.issued = False
    if camera.officer:
        camera.move(doom, "issued", camera.officer)
        camera.issued = True


def _work(camera: Camera, shift: OnDuty) -> None:
    """Record some actions in a shift."""
    random = camera.random
    at = shift.begins + random.randint(5, 120) * MINUTE
    for _ in range(random.choice([0, 1, 1, 2, 3])):
        files: list[File] = []
        for _ in range(random.randint(1, 4)):
            length = timedelta(seconds=random.randint(20, 1200))
            if at + length > shift.ends:
                break
            files.append(_record(camera, at, at + length))
            at += length + random.choice(_PAUSES) * SECOND
        if files:
            paperwork.enforcement(camera.telling, random, files, shift)
            paperwork.interruptions(camera.telling, random, files, shift)
        at = max(at, shift.begins) + random.randint(31, 200) * MINUTE
    if random.random() < 0.04:
        paperwork.nothing_recorded(camera.telling, random, camera.number, shift)
    if random.random() < 0.08 and (not camera.away_until or camera.away_until < shift.begins):
        camera.away_until = paperwork.deferral(camera.telling, random, camera.number, shift)
    if camera.card and random.random() < 0.03:
        gone = camera.card.pop(random.randrange(len(camera.card)))
        camera.not_sealed.discard(gone.recording)


def _record(camera: Camera, begins: datetime, ends: datetime) -> File:
    """Put a recording on the card, dated by the camera's own clock."""
    random = camera.random
    camera.made += 1
    says = random.random()
    shown = begins + camera.clock_off
    ended: datetime | None = ends + camera.clock_off
    mtime = ends + camera.clock_off
    kind = "video"
    if says < 0.04:
        kind, ended, mtime = "photo", None, shown
    elif says < 0.06:
        ended = None
    elif says < 0.07:  # a clock that was never set
        shown, ended = shown - 9000 * DAY, ends - 9000 * DAY
        mtime = ended
    elif says < 0.08:
        shown, ended = shown + 26000 * DAY, ends + 26000 * DAY
        mtime = ended
    file = File(
        recording=f"{camera.number}-{camera.made:05d}",
        device=camera.number,
        name=f"DCIM/100MEDIA/MAH{camera.counter:04d}.MP4",
        size=random.randint(10**6, 10**9),
        mtime=mtime,
        begins=shown,
        ends=ended,
        kind=kind,
        officer=camera.officer if camera.names_officer else None,
        counter=camera.counter,
    )
    camera.counter = camera.counter % 9999 + 1
    camera.card.append(file)
    camera.not_sealed.add(file.recording)
    return file


def _after_work(camera: Camera, shift: OnDuty, following: datetime, how: str) -> None:
    """Dock the camera, or forget to; then give it back, where it is only lent."""
    random = camera.random
    if camera.away_until and shift.ends < camera.away_until:
        return
    forgets = random.random()
    at = shift.ends + random.randint(2, 40) * MINUTE
    if forgets < 0.08:
        return
    if forgets < 0.18:
        at = shift.ends + random.randint(15, 50) * HOUR
    if forgets > 0.97:  # before the end, and out again
        at = shift.ends - random.randint(20, 60) * MINUTE
    if at >= following - HOUR:
        return
    course = random.choice(["complete"] * 8 + ["pulled", "pulled", "broken", "unreadable"])
    _dock(camera, at, course)
    while camera.not_sealed and random.random() < 0.75:
        assert camera.since
        again = camera.since + timedelta(minutes=random.choice([2, 30, 600, 1500, 3000]))
        if again >= following - HOUR:
            break
        if random.random() < 0.3:  # somebody deletes one first
            lost = random.choice([f for f in camera.card if f.recording in camera.not_sealed])
            camera.card.remove(lost)
            camera.not_sealed.discard(lost.recording)
        _dock(camera, again, random.choice(["complete", "complete", "broken"]))
    if how == "lent" and random.random() < 0.9:
        assert camera.since
        camera.move(camera.since + 5 * MINUTE, "returned")
        camera.issued = False


def _dock(camera: Camera, moment: datetime, course: str) -> None:
    """One stay on a port, and what becomes of the card."""
    random, telling = camera.random, camera.telling
    begins = camera.at(moment)
    camera.dockings += 1
    docking = f"{begins:%Y%m%dT%H%M%S}-{camera.number}-{camera.dockings}"
    stay = timedelta(minutes=random.randint(6, 90), milliseconds=random.choice([0, 1, 250]))
    cut = telling.power_cut_within(begins, begins + stay)
    known = random.random() < 0.9
    telling.tell(
        begins,
        Plugged(
            docking,
            f"1-{int(camera.number)}",
            camera.number,
            f"CARD-{camera.number}",
            tuple(camera.card),
            conflict=random.random() < 0.01,
            battery=random.choice([95, 90, 85, 82, 80, 79, 60]) if random.random() < 0.7 else None,
            free_percent=random.choice([50, 30, 12, 10, 9, 3]) if random.random() < 0.3 else 60,
            clock_off_s=camera.clock_off.total_seconds() if known else None,
            dirty=random.random() < 0.04 if known else None,
        ),
    )
    new = [file for file in camera.card if file.recording in camera.not_sealed]
    ends = begins + stay
    good, bad = _divided(random, new, "pulled" if cut else course)
    for number, part in enumerate((good[: len(good) // 2], good[len(good) // 2 :])):
        at = begins + stay * (number + 1) / 4
        if part and not (cut and at >= cut[0]):
            telling.tell(at, Sealed(docking, tuple(part)))
            camera.not_sealed -= {file.recording for file in part}
    if bad and course in ("broken", "unreadable") and not cut:
        telling.tell(begins + stay * 0.8, Failed(docking, tuple(bad), course == "unreadable"))
    if cut:
        ends = cut[1]
    pulled = cut is not None or (bool(bad) and course == "pulled")
    telling.tell(ends if pulled else begins + stay * 0.85, TakenIn(docking, pulled))
    telling.tell(ends, Unplugged(docking, interrupted=cut is not None))
    camera.since = ends
    if not cut and random.random() < 0.7:
        camera.card = [file for file in camera.card if file.recording in camera.not_sealed]
    for file in new:
        due = file.ends or file.mtime
        telling.looked_at += [due + 20 * HOUR, due + 24 * HOUR] if file in bad else []


def _divided(random: Random, new: list[File], course: str) -> tuple[list[File], list[File]]:
    """Return what is sealed at a docking, and what is not."""
    if course == "complete" or not new:
        return new, []
    whole = random.randrange(len(new))
    return new[:whole], new[whole:]
