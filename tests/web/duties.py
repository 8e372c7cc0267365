"""A station in the middle of its day, as the pages of duties show it.

Everything is on record as the product puts it there; only queues and samples, which are
working state, are written as the service would.
"""

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

from recorder_sync.access.accounts import Account, add, set_password_hash
from recorder_sync.access.database import open_accounts
from recorder_sync.access.hashes import hash_of
from recorder_sync.alerts.raising import raise_alert
from recorder_sync.catalogue import alerts, disk_samples, dockings, messages, store_states, uploads
from recorder_sync.catalogue.calendar import CalendarEntry, CalendarKind
from recorder_sync.catalogue.database import transaction
from recorder_sync.catalogue.dockings import Docking
from recorder_sync.custodian import deferring, moves
from recorder_sync.custodian.deferring import Wanted
from recorder_sync.custodian.duty import enter_calendar
from recorder_sync.custodian.registration import (
    DeviceEntry,
    close_case,
    register_cases,
    register_devices,
    register_officers,
)
from recorder_sync.language import T
from recorder_sync.model import AlertKind, Case, Identity, IdentityState, Officer
from recorder_sync.rules.access import Role
from recorder_sync.rules.deadline import DeferralReason
from recorder_sync.rules.docking import Stay
from recorder_sync.rules.escalation import Address
from recorder_sync.rules.forecast import DiskSample
from recorder_sync.rules.recipient import Recipient
from recorder_sync.station import Station
from recorder_sync.watching.tick import tick
from tests.conftest import Card, Dock, MediaFiles
from tests.on_the_day import today
from tests.web.served import PASSWORD

FIRST, SECOND_UNIT = "综合行政执法一队", "综合行政执法二队"
WANG, LI, ZHANG = "000001", "000002", "000010"
CASE, OLD_CASE, LATE_CASE = "冀石执〔2026〕17号", "冀石执〔2026〕8号", "冀石执〔2026〕3号"
INSPECTION = "检查-1"

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

STORES = [
    {"name": "nas", "directory": {"path": "/nas", "own_disk": True, "immutable": False}},
    {"name": "district", "directory": {"path": "/mnt/district", "own_disk": True}},
]


def make(dock: Dock, folder: Path, media: MediaFiles) -> None:
    """Put the day on record: people, devices, two cards, duties, deferrals and alerts."""
    station = dock.station()
    try:
        now = station.now()
        register_officers(
            station,
            [
                Officer(WANG, "王芳", FIRST),
                Officer(LI, "李明", FIRST),
                Officer(ZHANG, "张伟", SECOND_UNIT),
            ],
        )
        register_devices(
            station,
            [
                DeviceEntry("CAM001", kind="执法记录仪", officer=WANG),
                DeviceEntry("ZFY-0047", kind="执法记录仪", officer=LI),
                DeviceEntry("CAM031", kind="执法记录仪", officer=ZHANG),
            ],
        )
        register_cases(
            station,
            [
                Case(CASE, "某某餐饮有限公司", "占道经营"),
                Case(OLD_CASE, "李某", "擅自倾倒建筑垃圾"),
                Case(LATE_CASE, "某某物业服务有限公司", "油烟超标排放"),
            ],
        )
        close_case(station, OLD_CASE, date(2026, 11, 1))
        close_case(station, LATE_CASE, date(2026, 10, 10))
        _duties(station, now)
        _past(station, now)
    finally:
        station.catalogue.close()
    _cards(dock, folder, media)
    station = dock.station()
    try:
        tick(station, station.now())
        _told(station)
    finally:
        station.catalogue.close()


def _duties(station: Station, now: datetime) -> None:
    shift, work = CalendarKind.SHIFT, CalendarKind.ENFORCEMENT
    enter_calendar(
        station,
        [
            CalendarEntry("班次-1", shift, now - 9 * HOUR, now - HOUR, WANG, "CAM001"),
            CalendarEntry("班次-2", shift, now - 9 * HOUR, now - HOUR, ZHANG, "CAM031"),
            CalendarEntry("班次-3", shift, now + 14 * HOUR, now + 22 * HOUR, LI, "ZFY-0047"),
            replace(
                CalendarEntry(INSPECTION, work, now - 33 * HOUR, now - 32 * HOUR, LI, "ZFY-0047"),
                case=OLD_CASE,
                in_full=True,
            ),
            replace(
                CalendarEntry("检查-2", work, now - 8.2 * HOUR, now - 7.9 * HOUR, WANG, "CAM001"),
                case=CASE,
                in_full=True,
            ),
            replace(
                CalendarEntry("送达-1", work, now + 40 * HOUR, now + 41 * HOUR, ZHANG),
                case=LATE_CASE,
            ),
        ],
        "设备管理员",
    )
    wanted = Wanted(DeferralReason.OFF_SITE, now - 5 * HOUR, now + 30 * HOUR, "ZFY-0047", LI)
    deferring.add(station, replace(wanted, note="赴外地协查，预计次日返回"), "li")
    wanted = Wanted(DeferralReason.WATER, now - 2 * HOUR, now + 6 * HOUR, "CAM031", ZHANG)
    approved = deferring.add(station, replace(wanted, note="水上巡查"), "zhang")
    deferring.approve(station, approved.deferral.id, "chen", None, "chen")


def _past(station: Station, now: datetime) -> None:
    """Devices that went out, one that is held, a disk that fills, queues of two stores."""
    past = _at(station, now - 30 * HOUR)
    for device, officer in (("CAM001", WANG), ("CAM031", ZHANG), ("ZFY-0047", LI)):
        moves.issue(past, device, officer)
    db = station.catalogue
    with transaction(db):
        dockings.open_docking(
            db,
            Docking(
                id="20261123-174200-0aa001",
                source="/media/port-3",
                port="1-1.3",
                identity=Identity("ZFY-0099", None, IdentityState.UNKNOWN),
                storage=None,
                started_at=now - timedelta(minutes=18),
                state=Stay.HELD,
            ),
        )
    for days in range(14, 0, -1):
        used = 400_000_000_000 - days * 6_000_000_000
        at = now - days * DAY
        disk_samples.add(db, str(station.settings.paths.evidence), DiskSample(at, used))
    with transaction(db):
        store_states.note_fails(
            db,
            "district",
            "unreachable",
            T("The store {store} cannot be reached: {why}.", store="district", why="timed out"),
            T("Check the network and the server."),
            now - 2 * HOUR,
        )
        store_states.note_rate(db, "nas", 11_500_000.0, now)
    raise_alert(
        station,
        AlertKind.DEVICE_HELD,
        T("Device {number} on port {port} is not in the ledger.", number="ZFY-0099", port="1-1.3"),
        T("Register it: recorder-sync devices add {number}", number="ZFY-0099"),
        device="ZFY-0099",
        docking="20261123-174200-0aa001",
    )


def _cards(dock: Dock, folder: Path, media: MediaFiles) -> None:
    """Two cards: one with a gap, a photo and a file that is no recording; one with two clips."""
    card = Card(folder / "card-wang")
    card.put("DCIM/DCAM_CAM001_000001_20261123_100000.mp4", media.other_video)
    card.put("DCIM/DCAM_CAM001_000001_20261123_100400.wav", media.audio)
    card.put("DCIM/DCAM_CAM001_000001_20261123_100130.jpg", media.photo)
    card.put("readme.txt", b"Do not delete.\n")
    done = dock.ingest(card, "--case", CASE)
    assert done.json["sealed"] == 3, done.err
    card = Card(folder / "card-zhang")
    card.put("DCIM/DCAM_CAM031_000010_20261123_143000.mp4", media.other_video)
    card.put("DCIM/DCAM_CAM031_000010_20261123_144000.wav", media.audio)
    done = dock.ingest(card, "--device", "CAM031", "--officer", ZHANG)
    assert done.json["sealed"] == 2, done.err


def _told(station: Station) -> None:
    """One message that arrived and one that waits, about what is not resolved."""
    db, now = station.catalogue, station.now()
    numbers = [one.number for one in alerts.live(db)]
    with transaction(db):
        messages.add(db, "wecom", Address(Recipient.OFFICER, WANG), numbers, False, now)
        sent = messages.next_due(db, "wecom", now)
        assert sent is not None
        messages.note_delivered(db, sent, now)
        messages.add(db, "mail", Address(Recipient.CUSTODIAN), numbers, False, now)
        for store in ("nas", "district"):
            uploads.fill(db, store, lambda _one: True, now - HOUR, since=None)
        failed = uploads.next_due(db, "nas", now, ())
        assert failed is not None
        uploads.note_failed(
            db,
            failed,
            T("The store {store} has no room left.", store="nas"),
            T("Free space there."),
            None,
        )


def _at(station: Station, moment: datetime) -> Station:
    return replace(station, now=lambda: moment)


def accounts(dock: Dock) -> None:
    """Make one account of each role; the team leader and the officer are of the first unit."""
    db, hashed, at = open_accounts(dock.state), hash_of(PASSWORD), today()
    for account in (
        Account("custodian", Role.CUSTODIAN),
        Account("chen", Role.TEAM_LEADER, unit=FIRST),
        Account("wang", Role.OFFICER, officer=WANG),
        Account("inspector", Role.INSPECTOR),
        Account("admin", Role.ADMINISTRATOR),
    ):
        add(db, account, at)
        set_password_hash(db, account.name, hashed)
    db.close()
