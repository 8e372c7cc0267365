"""May this device go out? (Art. 22, 24)

What was measured is held against the limits of the settings. What nobody could measure
is neither for nor against: it is named, so that a screen can say "ready, battery unknown".
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce

from recorder_sync.config import Readiness
from recorder_sync.language import T, Text, as_said
from recorder_sync.model import Health
from recorder_sync.rules.whereabouts import State


class Reason(StrEnum):
    """Why a device may not go out, or what is not known of it."""

    BATTERY = "battery"
    FREE_SPACE = "free-space"
    CLOCK = "clock"
    OPEN_FAULT = "open-fault"
    UNSEALED = "unsealed-recordings"
    RETIRED = "retired"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a device. None: nobody could tell."""

    health: Health
    open_faults: tuple[str, ...] = ()
    """What is wrong with it, as it was reported."""
    unsealed: int | None = None
    """Recordings on it that are not sealed."""
    state: State | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason why a device may not go out."""

    reason: Reason
    measured: float | None
    """Percent, seconds or a number of things; None where nothing is counted."""
    text: Text


@dataclass(frozen=True, slots=True)
class Verdict:
    reasons: tuple[Finding, ...]
    unknown: tuple[Reason, ...]
    """What could not be looked at, and speaks neither for nor against the device."""

    @property
    def is_ready(self) -> bool:
        return not self.reasons


def readiness(facts: Facts, limits: Readiness) -> Verdict:
    """Return whether the device may go out, every reason why not, and what is unknown."""
    reasons: list[Finding] = []
    unknown: list[Reason] = []
    for found in _looked_at(facts, limits):
        if isinstance(found, Finding):
            reasons.append(found)
        else:
            unknown.append(found)
    return Verdict(tuple(reasons), tuple(unknown))


def _looked_at(facts: Facts, limits: Readiness) -> Iterator[Finding | Reason]:
    """Yield each reason against the device, and the bare name of what is unknown."""
    yield from _state(facts)
    yield from _faults(facts)
    yield from _battery(facts.health, limits)
    yield from _free_space(facts.health, limits)
    yield from _clock(facts.health, limits)
    yield from _unsealed(facts, limits)


def _state(facts: Facts) -> Iterator[Finding]:
    if facts.state is State.RETIRED:
        yield Finding(Reason.RETIRED, None, T("It is retired."))
    if facts.state is State.LOST:
        yield Finding(Reason.LOST, None, T("It is on record as lost."))


def _faults(facts: Facts) -> Iterator[Finding]:
    if count := len(facts.open_faults):
        whats = [as_said(what) for what in facts.open_faults]
        listed = reduce(lambda one, more: T("{one}; {more}", one=one, more=more), whats)
        text = T("Open fault: {what}.", what=listed)
        yield Finding(Reason.OPEN_FAULT, count, text)


def _battery(health: Health, limits: Readiness) -> Iterator[Finding | Reason]:
    battery, least = health.battery, limits.least_battery_percent
    if battery is None:
        yield Reason.BATTERY
    elif battery.percent < least:
        text = T(
            "The battery has {percent} %; {least} % are needed.",
            percent=battery.percent,
            least=least,
        )
        yield Finding(Reason.BATTERY, battery.percent, text)


def _free_space(health: Health, limits: Readiness) -> Iterator[Finding | Reason]:
    storage, least = health.storage, limits.least_free_percent
    if storage is None or storage.total <= 0:
        yield Reason.FREE_SPACE
    elif storage.free * 100 < least * storage.total:
        percent = math.floor(storage.free * 1000 / storage.total) / 10
        text = T(
            "{percent} % of its memory is free; {least} % are needed.", percent=percent, least=least
        )
        yield Finding(Reason.FREE_SPACE, percent, text)


def _clock(health: Health, limits: Readiness) -> Iterator[Finding | Reason]:
    most = limits.most_clock_offset_s
    if health.clock is None or not math.isfinite(health.clock.seconds):
        yield Reason.CLOCK
    elif abs(health.clock.seconds) > most:
        seconds = health.clock.seconds
        text = (
            T("Its clock is {seconds} s ahead; {most} s are allowed.", seconds=seconds, most=most)
            if seconds > 0
            else T(
                "Its clock is {seconds} s behind; {most} s are allowed.",
                seconds=-seconds,
                most=most,
            )
        )
        yield Finding(Reason.CLOCK, seconds, text)


def _unsealed(facts: Facts, limits: Readiness) -> Iterator[Finding | Reason]:
    if limits.unsealed_recordings:
        return
    if facts.unsealed is None:
        yield Reason.UNSEALED
    elif facts.unsealed > 0:
        text = T("{count} recording(s) on it are not sealed.", count=facts.unsealed)
        yield Finding(Reason.UNSEALED, facts.unsealed, text)


_TEMPLATES = (
    "It is retired.",
    "It is on record as lost.",
    "Open fault: {what}.",
    "The battery has {percent} %; {least} % are needed.",
    "{percent} % of its memory is free; {least} % are needed.",
    "Its clock is {seconds} s ahead; {most} s are allowed.",
    "Its clock is {seconds} s behind; {most} s are allowed.",
    "{count} recording(s) on it are not sealed.",
)


def as_found(said: str) -> Text:
    """Return what was found once and is on record in English, to be shown in any language."""
    for template in _TEMPLATES:
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+)", re.escape(template))
        if found := re.fullmatch(pattern, said):
            return Text(template, dict(found.groupdict()))
    return as_said(said)
