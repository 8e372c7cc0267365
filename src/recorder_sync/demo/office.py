"""A believable office: people, devices, cases and a duty calendar for the demo's station.

Everything goes on record as a custodian would have entered it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from recorder_sync.access import accounts, pins, signing_in
from recorder_sync.access.accounts import Account
from recorder_sync.access.database import open_accounts
from recorder_sync.catalogue.calendar import CalendarEntry, CalendarKind
from recorder_sync.custodian.duty import enter_calendar
from recorder_sync.custodian.moves import issue
from recorder_sync.custodian.registration import (
    DeviceEntry,
    register_cases,
    register_devices,
    register_officers,
)
from recorder_sync.model import Case, Officer, UsbIdentity
from recorder_sync.rules.access import Role
from recorder_sync.station import Station

UNIT = "综合行政执法队"
PIN = "730164"
"""Of every officer of the demo."""

OFFICERS = (
    Officer("000001", "王芳", UNIT),
    Officer("000010", "张伟", UNIT),
    Officer("000023", "李明", UNIT),
    Officer("000031", "刘洋", UNIT),
    Officer("000042", "陈静", UNIT),
    Officer("000057", "赵磊", UNIT),
)
CASES = (
    Case("石执罚〔2026〕017号", "某某餐饮有限公司", "占道经营"),
    Case("石执罚〔2026〕021号", "某某建筑工程有限公司", "未按规定采取防尘措施"),
    Case("石执罚〔2026〕022号", "某某便利店", "违规设置户外广告"),
    Case("石执检〔2026〕103号", "某某物业服务有限公司", "消防通道堵塞检查"),
)
_CASE_OF = {"000001": 0, "000010": 1, "000023": 2, "000031": 3, "000042": 0, "000057": 1}


@dataclass(frozen=True, slots=True)
class Holder:
    """A device and who has it."""

    device: str
    officer: str
    usb: UsbIdentity


HOLDERS = tuple(
    Holder(f"ZFY{number:04d}", officer, UsbIdentity("4255", "1000", f"SIM{number:04d}"))
    for number, officer in zip(
        range(31, 39),
        ("000001", "000010", "000023", "000031", "000042", "000057", "000001", "000010"),
        strict=True,
    )
)
STRANGER = UsbIdentity("0781", "5581", "NOBODYS-1")
"""Of a device that is in no ledger."""


@dataclass(frozen=True, slots=True)
class Invitation:
    role: Role
    name: str
    token: str


def furnish(station: Station) -> list[Invitation]:
    """Enter everything; return a one-time link's token for an account of each role."""
    at = station.now()
    register_officers(station, OFFICERS)
    register_cases(station, CASES)
    register_devices(
        station,
        [
            DeviceEntry(
                one.device, kind="执法记录仪", maker="SIMULATED", model="DSJ-A3",
                custodian="周敏", features=("夜视", "定位"), usb=one.usb,
            )
            for one in HOLDERS
        ],
    )  # fmt: skip
    for one in HOLDERS:
        issue(station, one.device, one.officer)
    enter_calendar(station, _calendar(at), "周敏")
    return _people(station, at)


def _calendar(at: datetime) -> list[CalendarEntry]:
    shifts = [
        CalendarEntry(
            f"班次-{one.cert_no}", CalendarKind.SHIFT, at - timedelta(hours=9),
            at - timedelta(minutes=20), officer=one.cert_no,
        )
        for one in OFFICERS
    ]  # fmt: skip
    acts = [
        CalendarEntry(
            f"执法-{number}", CalendarKind.ENFORCEMENT, at - timedelta(hours=7),
            at - timedelta(minutes=30), officer=number, case=CASES[case].number,
        )
        for number, case in _CASE_OF.items()
    ]  # fmt: skip
    return [*shifts, *acts]


def _people(station: Station, at: datetime) -> list[Invitation]:
    named = (
        Account("wangfang", Role.OFFICER, officer="000001", unit=UNIT),
        Account("zhoumin", Role.CUSTODIAN),
        Account("duizhang", Role.TEAM_LEADER, unit=UNIT),
        Account("sifaju", Role.INSPECTOR),
        Account("admin", Role.ADMINISTRATOR),
    )
    db = open_accounts(station.settings.paths.state)
    try:
        for one in OFFICERS:
            pins.set_pin(db, one.cert_no, PIN, at)
        made = []
        for account in named:
            accounts.add(db, account, at)
            made.append(Invitation(account.role, account.name, signing_in.invite(db, account, at)))
        return made
    finally:
        db.close()
