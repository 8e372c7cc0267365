"""Registers devices, officers and cases: several at once, or none of them.

The catalogue is locked from the first look at an entry to its change, so that two who
register at once cannot give one camera to two device numbers.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date

from recorder_sync.catalogue import ledger
from recorder_sync.catalogue.ledger_facts import (
    case_facts,
    device_facts,
    device_subject,
    officer_facts,
)
from recorder_sync.custody.log import Act
from recorder_sync.errors import NotFound, SharedIdentity, UsageProblem
from recorder_sync.language import T, Text
from recorder_sync.model import Case, Device, Officer, UsbIdentity
from recorder_sync.on_record import append, turn
from recorder_sync.rules.access import Secrecy
from recorder_sync.station import Station
from recorder_sync.timestamps import iso


@dataclass(frozen=True, slots=True)
class DeviceEntry:
    """What is given of a device: None keeps what stands in the ledger, an empty text clears."""

    number: str
    kind: str | None = None
    maker: str | None = None
    model: str | None = None
    officer: str | None = None
    custodian: str | None = None
    features: tuple[str, ...] | None = None
    usb: UsbIdentity | None = None
    forget_usb: bool = False
    fs_uuids: tuple[str, ...] = ()
    """Added to those it has."""
    forget_fs_uuids: tuple[str, ...] = ()

    def on(self, known: Device) -> Device:
        """Return the entry that the ledger then has."""
        forgotten = {uuid.casefold() for uuid in self.forget_fs_uuids}
        cards = {uuid.casefold(): uuid for uuid in (*self.fs_uuids, *known.fs_uuids)}
        return replace(
            known,
            kind=_kept(self.kind, known.kind),
            maker=_kept(self.maker, known.maker),
            model=_kept(self.model, known.model),
            officer=_kept(self.officer, known.officer),
            custodian=_kept(self.custodian, known.custodian),
            features=known.features if self.features is None else _distinct(self.features),
            usb=self.usb or (None if self.forget_usb else known.usb),
            fs_uuids=tuple(sorted(cards[key] for key in cards.keys() - forgotten)),
        )


def _kept(given: str | None, known: str | None) -> str | None:
    return known if given is None else given.strip() or None


def _distinct(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.strip() for text in texts if text.strip()))


def register_devices(station: Station, entries: Sequence[DeviceEntry]) -> list[Device]:
    """Enter devices in the ledger, or change their entries; return what stands there now.

    Raises SharedIdentity where a USB identity or a file system would belong to two devices.
    """
    db = station.catalogue
    with turn(station):
        wanted = [
            entry.on(ledger.device(db, entry.number) or Device(entry.number)) for entry in entries
        ]
        _refuse_shared(station, wanted)
        deeds = [
            station.deed(Act.LEDGER, device_subject(device.number), device_facts(device))
            for device in wanted
        ]
        append(station, deeds)
        registered = [
            replace(device, registered_at=deed.time)
            for device, deed in zip(wanted, deeds, strict=True)
        ]
        for device in registered:
            ledger.register_device(db, device)
    return registered


def _refuse_shared(station: Station, wanted: Sequence[Device]) -> None:
    db, together = station.catalogue, {device.number for device in wanted}
    usb_of: dict[str, str] = {}
    card_of: dict[str, str] = {}
    for device in wanted:
        if device.usb and device.usb.serial:
            others = [n for n in ledger.owners_of_usb(db, device.usb) if n not in together]
            others.append(usb_of.setdefault(str(device.usb), device.number))
            what = T("USB identity {identity}", identity=device.usb)
            _refuse_other(device.number, others, what, "--forget-usb")
        for uuid in device.fs_uuids:
            others = [n for n in ledger.owners_of_file_system(db, uuid) if n not in together]
            others.append(card_of.setdefault(uuid.casefold(), device.number))
            what = T("file system {uuid}", uuid=uuid)
            _refuse_other(device.number, others, what, f"--forget-fs-uuid {uuid}")


def _refuse_other(number: str, owners: Sequence[str], what: Text, option: str) -> None:
    for owner in owners:
        if owner != number:
            raise SharedIdentity(
                number,
                T(
                    "{what} belongs to device {owner}, so it cannot be device {number}'s.",
                    what=what,
                    owner=owner,
                    number=number,
                ),
                T(
                    "If {owner} is wrong, run: recorder-sync devices add {owner} {option}",
                    owner=owner,
                    option=option,
                ),
            )


def register_officers(station: Station, officers: Sequence[Officer]) -> None:
    """Enter officers in the ledger, or replace their entries."""
    with turn(station):
        deeds = [
            station.deed(Act.LEDGER, f"officer:{officer.cert_no}", officer_facts(officer))
            for officer in officers
        ]
        append(station, deeds)
        for officer, deed in zip(officers, deeds, strict=True):
            ledger.register_officer(station.catalogue, officer, iso(deed.time))


def register_cases(
    station: Station, cases: Sequence[Case], cleared: Collection[Secrecy] = tuple(Secrecy)
) -> None:
    """Enter cases in the ledger, or replace party and cause; a date of closing stays
    unless another is given, and so does how secret the case is.

    Raises UsageProblem where one is there that is more secret than who enters it is `cleared`
    for (Art. 25); then none is entered.
    """

    def as_known(case: Case) -> Case:
        known = ledger.case(station.catalogue, case.number)
        if known is None:
            return case
        if known.secrecy not in cleared:
            raise number_in_use(case.number)
        secrecy = known.secrecy if case.secrecy is Secrecy.NONE else case.secrecy
        return replace(case, closed_on=case.closed_on or known.closed_on, secrecy=secrecy)

    _enter_cases(station, lambda: [as_known(case) for case in cases])


def classify_case(station: Station, number: str, secrecy: Secrecy) -> None:
    """Enter how secret a case and all its recordings are (Art. 25). Raises NotFound."""

    def classified() -> list[Case]:
        known = ledger.case(station.catalogue, number)
        if known is None:
            raise no_such_case(number)
        return [replace(known, secrecy=secrecy)]

    _enter_cases(station, classified)


def close_case(station: Station, number: str, on: date) -> None:
    """Enter the day on which the enforcement ended (Art. 26).

    Raises NotFound, or UsageProblem for a day that is still to come.
    """
    if on > station.now().astimezone(station.settings.station.zone).date():
        raise UsageProblem(
            T("{day} is still to come.", day=on), T("Give the day on which the case was closed.")
        )

    def closed() -> list[Case]:
        known = ledger.case(station.catalogue, number)
        if known is None:
            raise no_such_case(number)
        return [replace(known, closed_on=on)]

    _enter_cases(station, closed)


def number_in_use(number: str) -> UsageProblem:
    return UsageProblem(
        T("The number {number} is in use.", number=number),
        T("Open that case, or check the number."),
    )


def no_such_case(number: str) -> NotFound:
    return NotFound(
        T("There is no case {number}.", number=number),
        T("recorder-sync cases list shows them."),
    )


def _enter_cases(station: Station, entries: Callable[[], list[Case]]) -> None:
    with turn(station):
        cases = entries()
        deeds = [
            station.deed(Act.LEDGER, f"case:{case.number}", case_facts(case)) for case in cases
        ]
        append(station, deeds)
        for case, deed in zip(cases, deeds, strict=True):
            ledger.register_case(station.catalogue, case, iso(deed.time))
