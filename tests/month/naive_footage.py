"""What is wrong with what was recorded: nothing, too little, interrupted, gone, misdated."""

from datetime import datetime, timedelta

from tests.month.happenings import Enforcement, File
from tests.month.naive import BREACH, WARNING, Seen, Station, Stay, how_bad

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def without_recording(station: Station, now: datetime) -> list[Seen]:
    """Art. 16 and 17: enforcement that no recording shows, or not all of it."""
    found = []
    for work in station.enforcement:
        if work.id in station.reasons:
            continue
        due = station.due(work.ends, work.device, work.officer)
        bad = how_bad(due, now)
        if bad is None:
            continue
        shown = sorted(
            (file.begins, file.ends or file.begins)
            for file in _around(station, work)
            if _shows(file, work)
        )
        if not shown:
            found.append(Seen("no-recording", work.id, *bad, due))
        elif work.in_full:
            holes = _holes(work, shown)
            if holes:
                found.append(
                    Seen("coverage-hole", work.id, *bad, due, frozenset(holes), len(holes))
                )
    return found


def _around(station: Station, work: Enforcement) -> list[File]:
    """Return what begins on these days or the day before; nothing lasts longer."""
    day, files = work.begins.date() - DAY, []
    while day <= work.ends.date() + DAY:
        files += station.sealed_on.get(day, [])
        day += DAY
    return files


def _shows(file: File, work: Enforcement) -> bool:
    ends = file.ends or file.begins
    if file.begins > work.ends + 2 * MINUTE or ends < work.begins - 2 * MINUTE:
        return False
    if work.officer is not None and file.officer is not None:
        return file.officer == work.officer
    return work.device is not None and file.device == work.device


def _holes(work: Enforcement, shown: list[tuple[datetime, datetime]]) -> set[str]:
    holes, at = set(), work.begins
    for shown_from, ends in [*shown, (work.ends, work.ends)]:
        begins = min(shown_from, work.ends)
        if begins - at > 2 * MINUTE:
            holes.add(span(at, begins))
        at = max(at, ends)
    return holes


def span(begins: datetime, ends: datetime) -> str:
    return f"{begins:%m-%d %H:%M:%S} to {ends:%m-%d %H:%M:%S}"


def interruptions(station: Station) -> list[Seen]:
    """Art. 20: pauses within an action that nobody explained."""
    found = []
    outstanding = station.outstanding()
    for device, files in station.films.items():
        for action in _actions(files):
            if any(_belongs(file, action) for _, file in outstanding.get(device, [])):
                continue
            gaps = [gap for gap in _gaps(action) if not _explained(station, device, gap, action)]
            if gaps:
                things = frozenset(span(begins, ends) for begins, ends in gaps)
                about = action[0].recording
                found.append(Seen("gap", about, WARNING, gaps[0][0], None, things, len(gaps)))
    return found


def undecided(station: Station) -> set[tuple[str, str]]:
    """Return the actions of which nobody knows whether a gap is one."""
    outstanding = station.outstanding()
    return {
        ("gap", action[0].recording)
        for device, files in station.films.items()
        for action in _actions(files)
        if any(_belongs(file, action) for _, file in outstanding.get(device, []))
    }


def _belongs(file: File, action: list[File]) -> bool:
    """Tell whether a file on a card may be of this action, by when it ended."""
    ended = file.ends or file.mtime
    begins, ends = action[0].begins, max(one.ends or one.begins for one in action)
    return begins - 30 * MINUTE <= ended <= ends + 30 * MINUTE


def _actions(files: list[File]) -> list[list[File]]:
    actions: list[list[File]] = []
    last = None
    for file in sorted(files, key=lambda one: (one.begins, one.ends or one.begins)):
        if last is None or file.begins - last > 30 * MINUTE:
            actions.append([])
        actions[-1].append(file)
        ends = file.ends or file.begins
        last = ends if last is None or len(actions[-1]) == 1 else max(last, ends)
    return actions


def _gaps(action: list[File]) -> list[tuple[datetime, datetime]]:
    gaps = []
    last = action[0].ends or action[0].begins
    for file in action[1:]:
        if file.begins - last > 5 * SECOND:
            gaps.append((last, file.begins))
        last = max(last, file.ends or file.begins)
    return gaps


def _explained(
    station: Station, device: str, gap: tuple[datetime, datetime], action: list[File]
) -> bool:
    for said in station.explained.get(device, []):
        if said.begins > gap[0] or said.ends < gap[1]:
            continue
        if len(set(said.officers)) >= 2:
            return True
        for file in action:
            ends = file.ends or file.begins
            if (
                said.recording == file.recording
                and said.second is not None
                and file.begins >= gap[1]
                and file.begins + said.second * SECOND <= ends
            ):
                return True
    return False


def holes_in_numbers(station: Station) -> list[Seen]:
    """Art. 4 and 27: numbers between those that were listed. 0000 follows on 9999."""
    found = []
    for device, listings in station.numbers.items():
        first_seen: dict[int, datetime] = {}
        for at, number in listings:
            first_seen[number] = min(at, first_seen.get(number, at))
        numbers = sorted(first_seen)
        if len(numbers) < 2:
            continue
        stretches = []  # of numbers that were never seen: how many, after which, before which
        for before, after in zip(numbers, [*numbers[1:], numbers[0]], strict=True):
            stretches.append(((after - before - 1) % 10_000, before, after))
        things, since, count = set(), [], 0
        for _, before, after in sorted(stretches)[:-1]:
            missing = [(before + n) % 10_000 for n in range(1, (after - before) % 10_000)]
            missing = [number for number in missing if number != 0]
            if missing:
                ends = sorted({0, len(missing) - 1})
                things.add(" - ".join(f"MAH{missing[at]:04d}" for at in ends))
                since.append(max(first_seen[before], first_seen[after]))
                count += len(missing)
        if things:
            found.append(
                Seen("sequence-hole", device, WARNING, min(since), None, frozenset(things), count)
            )
    return found


def deleted(station: Station) -> list[Seen]:
    """Art. 27: listed once, gone at the newest docking of the card, and never sealed."""
    found = []
    for card in {stay.plugged.card for stay in station.stays.values()}:
        stays = sorted(
            (one for one in station.stays.values() if one.plugged.card == card and _is_whole(one)),
            key=lambda stay: stay.began,
        )
        gone: dict[str, datetime] = {}
        for number, stay in enumerate(stays):
            for file in stay.plugged.files:
                if file in stays[-1].plugged.files or file.recording in station.sealed_ids:
                    continue
                later = [one for one in stays[number + 1 :] if file not in one.plugged.files]
                gone[file.name] = later[0].began
        if gone:
            found.append(
                Seen(
                    "deleted-before-ingest",
                    card,
                    BREACH,
                    min(gone.values()),
                    None,
                    frozenset(gone),
                    len(gone),
                )
            )
    return found


def _is_whole(stay: Stay) -> bool:
    """Tell whether all of the card was seen: one that is just pulled out looks empty."""
    return bool(stay.plugged.files) or (stay.taken_in and not stay.interrupted)


def impossible_dates(station: Station) -> list[Seen]:
    """Dated after its docking. When the office got a device, the ledger does not say."""
    found = []
    by_docking: dict[str, set[str]] = {}
    for _, docking, file in station.sealed:
        if file.begins - station.stays[docking].began > 5 * MINUTE:
            by_docking.setdefault(docking, set()).add(file.recording)
    for docking, wrong in by_docking.items():
        stay = station.stays[docking]
        things = frozenset(wrong)
        found.append(Seen("wrong-date", docking, WARNING, stay.began, None, things, len(wrong)))
    return found
