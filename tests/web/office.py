"""An enforcement office of a few weeks: officers, devices, what they recorded and what went wrong.

It is put on record by the product's own code below the intake (`tests/month/writing.py`), at the
times that the story says, so that nobody waits for cameras.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from recorder_sync.catalogue import recordings
from recorder_sync.custodian import moves
from recorder_sync.custodian.registration import (
    DeviceEntry,
    register_cases,
    register_devices,
    register_officers,
)
from recorder_sync.inspection.correction import Correction, correct
from recorder_sync.model import Case, Officer, UsbIdentity
from recorder_sync.rules.whereabouts import Happening
from recorder_sync.station import Station
from tests.conftest import Dock
from tests.month import happenings as told
from tests.month.happenings import File
from tests.month.writing import Writer, at

ZONE = ZoneInfo("Asia/Shanghai")
OFFICERS = (
    Officer("130104001", "王伟", "综合执法一中队"),
    Officer("130104002", "李娜", "综合执法一中队"),
    Officer("130104003", "张强", "综合执法一中队"),
    Officer("130104004", "刘敏", "综合执法二中队"),
    Officer("130104005", "陈志远", "综合执法二中队"),
    Officer("130104006", "赵海燕", "综合执法二中队"),
)
CASES = (
    Case("冀石执〔2026〕00131号", "石家庄宁和餐饮有限公司", "涉嫌油烟超标排放"),
    Case("冀石执〔2026〕00132号", "孙建国", "涉嫌占道经营"),
)
KINDS = (
    ("4G执法记录仪", "海康威视", "DS-MCW407"),
    ("执法记录仪", "警翼", "V8"),
    ("执法记录仪", "大华", "MPT220"),
)
NEWEST_DAY = date(2026, 11, 22)


def devices() -> list[DeviceEntry]:
    return [
        DeviceEntry(
            f"{31 + number:04d}",
            *KINDS[number % len(KINDS)],
            officer=OFFICERS[number % len(OFFICERS)].cert_no,
            custodian="周晓梅",
            features=("夜视", "定位") if number % 2 else ("夜视",),
            usb=UsbIdentity("0781", "5581", f"4C53{number:04d}"),
            fs_uuids=(f"6A1F-{number:04X}",),
        )
        for number in range(8)
    ]


def furnish(dock: Dock, days: int = 20) -> None:
    """Make the office, up to the evening of the newest day."""
    station = dock.station()
    try:
        begins = NEWEST_DAY - timedelta(days=days)
        morning = _local(begins, time(8))
        opened = at(station, morning)
        register_officers(opened, OFFICERS)
        register_cases(opened, CASES)
        register_devices(opened, devices())
        writer = Writer()
        for day in range(days):
            _work(station, writer, begins + timedelta(days=day + 1), day)
        _trouble(station)
    finally:
        station.catalogue.close()


def _local(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, ZONE).astimezone(UTC)


def _work(station: Station, writer: Writer, day: date, turn: int) -> None:
    """One day: five devices go out in the morning, and come back with recordings."""
    for place in range(5):
        number = (turn + place) % 6
        device, officer = f"{31 + number:04d}", OFFICERS[number].cert_no
        out = _local(day, time(8, 30 + place))
        back = _local(day, time(17, 10 + place))
        moves.issue(at(station, out), device, officer, "出勤前已充电")
        files = tuple(_files(day, device, officer, turn, place))
        docking = f"{back:%Y%m%d-%H%M%S}-{place:06x}"
        plugged = told.Plugged(
            docking,
            f"1-1.{place + 1}",
            device,
            f"6A1F-{number:04X}",
            files,
            battery=max(8, 88 - number * 7 - turn % 5 * 6),
            free_percent=96 - turn % 4 * 7,
            clock_off_s=1.5 * number - 3 + turn % 3,
        )
        sealed = files[:-1] if (turn, place) == (15, 2) else files
        moves.enter(at(station, back), device, Happening.RETURNED)
        for minutes, what in (
            (0, plugged),
            (2, told.Sealed(docking, sealed)),
            (3, told.TakenIn(docking, interrupted=len(sealed) < len(files))),
            (9, told.Unplugged(docking)),
        ):
            writer.write(at(station, back + timedelta(minutes=minutes)), what)


def _files(day: date, device: str, officer: str, turn: int, place: int) -> Iterator[File]:
    is_late = (turn + place) % 11 == 3
    first = _local(day - timedelta(days=2) if is_late else day, time(9, 20 + place))
    for number in range(3 + place % 3):
        # A pause of three minutes in one action is an interruption (Art. 20).
        begins = first + timedelta(minutes=(13 if place == 1 else 10) * number)
        ends = begins + timedelta(minutes=10)
        kind = "photo" if number == 3 else "audio" if number == 4 else "video"
        yield File(
            recording=f"{device}{turn:02d}{number}".translate(_AS_ID),
            device=device,
            name=f"DCIM/DCAM{device}_{begins:%Y%m%d%H%M%S}.mp4",
            size=310_000_000 + 9_000_000 * number + 40_000_000 * place,
            mtime=ends,
            begins=begins,
            ends=None if kind == "photo" else ends,
            kind=kind,
            officer=officer,
            counter=number,
        )


_AS_ID = str.maketrans("0189", "abcd")


def _trouble(station: Station) -> None:
    """What is open on the evening of the newest day."""
    evening = at(station, _local(NEWEST_DAY, time(18)))
    moves.issue(evening, "0037", OFFICERS[4].cert_no, "夜间巡查")
    moves.enter(evening, "0038", Happening.FAULT, "镜头进水, 画面模糊")
    moves.issue(evening, "0036", OFFICERS[5].cert_no, "夜间巡查")
    moves.enter(evening, "0036", Happening.LOST, "河道巡查时掉入水中")
    found = next(iter(recordings.sealed_ids(station.catalogue)))
    known = recordings.recording(station.catalogue, found).recording
    correct(evening, known, Correction("周晓梅", "与当日执法文书核对", case=CASES[0].number))
