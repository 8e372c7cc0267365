"""What is wrong with devices and with the station itself."""

from collections.abc import Callable
from datetime import datetime, timedelta

from tests.month.naive import LIMIT, NOTICE, WARNING, Seen, Station, Stay, how_bad

DAY = timedelta(days=1)


def _place(station: Station, device: str) -> tuple[str, datetime | None, str | None, bool]:
    """Return where a device is, since when, who holds it, and whether it is faulty."""
    place, since, officer, faulty = "in-store", None, None, False
    for at, move in station.moves.get(device, []):
        if move.what == "fault":
            faulty = True
        elif move.what == "repaired":
            faulty = False
        else:
            place = {"returned": "in-store", "found": "in-store"}.get(move.what, move.what)
            since, officer = at, move.officer
    return place, since, officer, faulty


def overdue(station: Station, now: datetime) -> list[Seen]:
    """Art. 21 and 22: issued, and not docked in time."""
    found = []
    for device in station.registered:
        place, issued, officer, _ = _place(station, device)
        if place != "issued":
            continue
        assert issued is not None
        due = _first_due(station, device, issued, officer)
        bad = how_bad(due, now) if due is not None else None
        if bad is not None:
            found.append(Seen("device-overdue", f"{device} {issued:%d%H%M%S}", *bad, due))
    return found


def _first_due(
    station: Station, device: str, issued: datetime, officer: str | None
) -> datetime | None:
    stays = station.stays_of(device)
    shifts = [one for one in station.shifts if one.officer == officer and one.ends > issued]
    starts = []
    is_on_duty = any(shift.begins - issued <= LIMIT for shift in shifts)
    if not is_on_duty and not any(stay.began >= issued for stay in stays):
        starts.append(issued)
    for shift in shifts:
        if not any(stay.ended is None or stay.ended >= shift.ends for stay in stays):
            starts.append(shift.ends)
    return min(
        (_away_until(station, one, LIMIT, device, officer) + LIMIT for one in starts), default=None
    )


def _away_until(
    station: Station, start: datetime, within: timedelta, device: str, officer: str | None
) -> datetime:
    """Return the return of the last deferral that begins before the hours are over."""
    while True:
        returns = [
            one.back
            for one in station.deferrals
            if one.is_for(device, officer)
            and one.said.begins <= start + within
            and one.back > start
        ]
        if not returns:
            return start
        start = min(returns)


def not_docked(station: Station, now: datetime) -> list[Seen]:
    """In store or issued, and on no port for a week."""
    found = []
    for device, registered in station.registered.items():
        place, _, officer, faulty = _place(station, device)
        if place not in ("in-store", "issued") or (place == "in-store" and faulty):
            continue
        stays = station.stays_of(device)
        if any(stay.ended is None for stay in stays):
            continue
        last = max((stay.ended for stay in stays if stay.ended), default=registered)
        last = _away_until(station, last, 7 * DAY, device, officer)
        if now - last > 7 * DAY:
            found.append(Seen("not-docked", device, NOTICE, last + 7 * DAY))
    return found


def faulty(station: Station) -> list[Seen]:
    """Art. 22 and 24: what the dockings of a device measured."""
    found = []
    for device in station.registered:
        stays = sorted(station.stays_of(device), key=lambda stay: stay.began)
        for kind, severity, judge, row in _LOOKS:
            bad = _bad(stays, judge)
            if len(bad) >= row:
                since = bad[row - 1]
                found.append(Seen(kind, device, severity, since, count=len(bad)))
    return found


def _bad(stays: list[Stay], judge: Callable[[Stay], bool | None]) -> list[datetime]:
    """Return the newest measurements that are bad, back to the last good one."""
    bad: list[datetime] = []
    for stay in stays:
        verdict = judge(stay)
        if verdict:
            bad.append(stay.began)
        elif verdict is False:
            bad = []
    return bad


def _battery(stay: Stay) -> bool | None:
    percent = stay.plugged.battery
    return None if percent is None else percent < 80


def _full(stay: Stay) -> bool | None:
    free = stay.plugged.free_percent
    return None if free is None else free < 10


def _clock(stay: Stay) -> bool | None:
    off = stay.plugged.clock_off_s
    return None if off is None else abs(off) > 60


def _unreadable(stay: Stay) -> bool | None:
    """Nobody knows before the intake has ended."""
    return stay.unreadable > 0 if stay.taken_in else None


_LOOKS: tuple[tuple[str, str, Callable[[Stay], bool | None], int], ...] = (
    ("battery-failing", WARNING, _battery, 2),
    ("storage-nearly-full", NOTICE, _full, 1),
    ("clock-off", WARNING, _clock, 1),
    ("read-errors", WARNING, _unreadable, 1),
    ("file-system-damage", WARNING, lambda stay: stay.plugged.dirty, 1),
    ("identity-conflict", WARNING, lambda stay: stay.plugged.conflict, 1),
)


def happened_to_the_station(station: Station, now: datetime) -> list[Seen]:
    """A restart by the watchdog and a clock that was set are matters for a day."""
    found = []
    for kind, times in (
        ("restarted", station.restarts),
        ("clock-stepped", [at for at, by in station.clock_steps if abs(by) > 2]),
    ):
        recent = sorted(at for at in times if now - at < DAY)
        if recent:
            found.append(Seen(kind, "station", WARNING, recent[0], count=len(recent)))
    return found
