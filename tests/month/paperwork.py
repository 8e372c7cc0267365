"""What people write down about the work: what was done, why not recorded, who is away."""

from datetime import datetime, timedelta
from itertools import pairwise
from random import Random

from tests.month.happenings import (
    Approved,
    CameBack,
    Deferred,
    Enforcement,
    File,
    OnDuty,
    WhyInterrupted,
    WhyNotRecorded,
)
from tests.month.story import DAY, HOUR, MINUTE, Telling

_REASONS = ("not-required", "device-fault", "forgotten", "other")


def enforcement(telling: Telling, random: Random, files: list[File], shift: OnDuty) -> None:
    """Enter what some of these recordings should show, which may be more than they do."""
    if random.random() > 0.2:
        return
    begins, ends = files[0].begins, max(file.ends or file.begins for file in files)
    begins += timedelta(seconds=random.choice([0, 0, 60, -60, -120, -121, -900]))
    ends += timedelta(seconds=random.choice([0, 0, -60, 100, 120, 121, 900]))
    if ends - begins > 2 * DAY or not shift.begins - DAY < begins < ends:
        return
    named = random.random()
    officer = shift.officer if named < 0.8 else None
    device = files[0].device if named > 0.4 else None
    _enter(telling, random, begins, ends, officer, device)


def nothing_recorded(telling: Telling, random: Random, device: str, shift: OnDuty) -> None:
    """Enter enforcement of which nobody knows whether a recording shows it."""
    begins = shift.begins + random.randint(0, 400) * MINUTE
    named = random.random()
    _enter(
        telling,
        random,
        begins,
        begins + random.randint(1, 90) * MINUTE,
        shift.officer if named < 0.8 else None,
        device if named > 0.4 else None,
    )


def _enter(
    telling: Telling,
    random: Random,
    begins: datetime,
    ends: datetime,
    officer: str | None,
    device: str | None,
) -> None:
    name = f"work-{officer}-{device}-{begins:%d%H%M%S}"
    at = telling.enter(
        max(telling.plan.begins, ends + random.choice([-HOUR, HOUR, 5 * HOUR, 30 * HOUR])),
        Enforcement(
            name,
            begins,
            ends,
            officer,
            device,
            None,
            random.random() < 0.5,
        ),
    )
    telling.looked_at += [ends + 20 * HOUR, ends + 24 * HOUR]
    if random.random() < 0.4:
        later = at + random.randint(1, 100) * HOUR
        telling.enter(later, WhyNotRecorded(name, random.choice(_REASONS)))


def interruptions(telling: Telling, random: Random, files: list[File], shift: OnDuty) -> None:
    """Explain some of the pauses between recordings, rightly or not."""
    for before, after in pairwise(files):
        if before.ends is None or random.random() > 0.6:
            continue
        begins, ends = before.ends, after.begins
        if ends <= begins:
            continue
        at = shift.ends + random.randint(10, 6000) * MINUTE
        how = random.choice(["voice", "voice", "wrong voice", "late", "two", "one", "part"])
        match how:
            case "voice":
                said = WhyInterrupted(after.device, begins, ends, after.recording, 5.0)
            case "wrong voice":
                said = WhyInterrupted(after.device, begins, ends, before.recording, 5.0)
            case "late":
                said = WhyInterrupted(after.device, begins, ends, after.recording, 5000.0)
            case "two" | "one":
                officers = (shift.officer, "13019999") if how == "two" else (shift.officer,) * 2
                said = WhyInterrupted(after.device, begins, ends, officers=officers)
            case _:
                half = begins + (ends - begins) / 2
                said = WhyInterrupted(
                    after.device, begins, half, officers=(shift.officer, "13019999")
                )
        telling.enter(at, said)


def deferral(telling: Telling, random: Random, device: str, shift: OnDuty) -> datetime:
    """Send an officer away for days, and put that on record well or badly; return his return."""
    begins = shift.begins - random.randint(0, 60) * MINUTE
    planned = shift.ends + random.randint(10, 70) * HOUR
    real = planned + random.randint(-5, 8) * HOUR
    name = f"deferral-{device}-{begins:%d%H%M}"
    about = random.choice(["device", "officer", "both"])
    how = random.choice(["well", "well", "well", "never", "later", "after", "believed"])
    approved = begins - 30 * MINUTE
    entered = {
        "well": approved + 10 * MINUTE,
        "never": approved,
        "later": approved,
        "after": real + random.randint(1, 30) * HOUR,
        "believed": approved + 61 * MINUTE,
    }[how]
    signed = how not in ("never", "later")
    at = telling.enter(
        max(entered, telling.plan.begins + 5 * MINUTE),
        Deferred(
            name,
            begins,
            planned,
            device=device if about != "officer" else None,
            officer=shift.officer if about != "device" else None,
            approver="13010099" if signed else None,
            approved_at=approved if signed else None,
        ),
    )
    if how == "later":
        telling.enter(max(at + MINUTE, begins + random.randint(1, 80) * HOUR), Approved(name, "8"))
    if random.random() < 0.8:
        came = telling.enter(max(at + MINUTE, real), CameBack(name, real))
        telling.looked_at.append(came)
    telling.looked_at += [planned + 24 * HOUR, real + 24 * HOUR]
    return real
