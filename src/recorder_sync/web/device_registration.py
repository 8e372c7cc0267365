"""Registers a device or changes its entry, and prints its QR labels (Art. 22, 29)."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Annotated
from urllib.parse import quote

import segno
from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from recorder_sync.catalogue import dockings, ledger
from recorder_sync.custodian.registration import DeviceEntry, register_devices
from recorder_sync.errors import NotFound, UsageProblem
from recorder_sync.language import T, Text
from recorder_sync.model import Device, Health, UsbIdentity
from recorder_sync.rules.access import Permission
from recorder_sync.web.devices import (
    Seer,
    address_of,
    base_address,
    officers_by_number,
    seen_devices,
)
from recorder_sync.web.rendering import page
from recorder_sync.web.visits import Visit, visitor

router = APIRouter()

_Mover = Annotated[Visit, Depends(visitor(Permission.MOVE_DEVICES), scope="function")]
_SEE_OTHER = 303
_LONGEST = 64
_Field = Annotated[str, Form(max_length=500)]


@dataclass(frozen=True, slots=True)
class Given:
    """What stands in the form."""

    number: str = ""
    kind: str = ""
    maker: str = ""
    model: str = ""
    officer: str = ""
    custodian: str = ""
    features: str = ""
    usb: str = ""
    fs_uuids: str = ""


def given_fields(
    number: _Field = "",
    kind: _Field = "",
    maker: _Field = "",
    model: _Field = "",
    officer: _Field = "",
    custodian: _Field = "",
    features: _Field = "",
    usb: _Field = "",
    fs_uuids: _Field = "",
) -> Given:
    return Given(number.strip(), kind, maker, model, officer, custodian, features, usb, fs_uuids)


@router.get("/device-registration")
def registration_form(
    request: Request, visit: _Mover, number: str = "", docking: str = ""
) -> Response:
    known = ledger.device(visit.station.catalogue, number) if number else None
    given = _given(known) if known else Given(number)
    if docking:
        given = _as_seen(visit, given, docking)
    return _form(request, visit, given, known, None)


@router.post("/device-registration")
def registration(
    request: Request, visit: _Mover, given: Annotated[Given, Depends(given_fields)]
) -> Response:
    db = visit.station.catalogue
    known = ledger.device(db, given.number) if given.number else None
    try:
        register_devices(visit.station, [_entry(visit, given, known)])
    except UsageProblem as problem:
        return _form(request, visit, given, known, problem.text)
    return RedirectResponse(address_of(given.number, "?done=registered"), _SEE_OTHER)


def _given(device: Device) -> Given:
    return Given(
        device.number,
        device.kind or "",
        device.maker or "",
        device.model or "",
        device.officer or "",
        device.custodian or "",
        "; ".join(device.features),
        str(device.usb) if device.usb else "",
        "; ".join(device.fs_uuids),
    )


def _as_seen(visit: Visit, given: Given, docking: str) -> Given:
    """Fill in what was seen at a docking, where nothing is known yet."""
    seen = dockings.docking(visit.station.catalogue, docking)
    health = seen.health or Health()
    return replace(
        given,
        maker=given.maker or health.maker or "",
        model=given.model or health.model or "",
        usb=given.usb or (str(seen.usb) if seen.usb else ""),
        fs_uuids=given.fs_uuids or seen.fs_uuid or "",
    )


def _entry(visit: Visit, given: Given, known: Device | None) -> DeviceEntry:
    """Return what is to be entered. Raises UsageProblem."""
    number = given.number
    if not number:
        raise UsageProblem(T("A number is empty."))
    if len(number) > _LONGEST or not number.isprintable():
        raise UsageProblem(T("{text} is too long, or cannot be shown.", text=number[:_LONGEST]))
    if given.officer and given.officer not in officers_by_number(visit):
        raise UsageProblem(T("There is no officer {number}.", number=given.officer))
    cards = _several(given.fs_uuids)
    kept = {one.casefold() for one in cards}
    return DeviceEntry(
        number,
        given.kind,
        given.maker,
        given.model,
        given.officer,
        given.custodian,
        _several(given.features),
        _usb(given.usb),
        forget_usb=not given.usb.strip(),
        fs_uuids=cards,
        forget_fs_uuids=tuple(
            one for one in (known.fs_uuids if known else ()) if one.casefold() not in kept
        ),
    )


def _usb(text: str) -> UsbIdentity | None:
    if not text.strip():
        return None
    try:
        vendor, _, rest = text.strip().partition(":")
        product, colon, serial = rest.partition(":")
        return UsbIdentity.parse(f"{vendor.lower()}:{product.lower()}{colon}{serial}")
    except ValueError:
        raise UsageProblem(T("{text} is no USB identity.", text=text)) from None


def _several(text: str) -> tuple[str, ...]:
    parts = text.replace("；", ";").replace("\n", ";").split(";")
    return tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))


def _form(
    request: Request, visit: Visit, given: Given, known: Device | None, problem: Text | None
) -> Response:
    db = visit.station.catalogue
    others = list(ledger.devices(db))
    values = {
        "given": given,
        "known": known if known and known.registered_at else None,
        "problem": problem,
        "officers": list(officers_by_number(visit).values()),
        "kinds": sorted({one.kind for one in others if one.kind}),
        "makers": sorted({one.maker for one in others if one.maker}),
        "models": sorted({one.model for one in others if one.model}),
    }
    return page(request, "devices/registration.html", values, code=400 if problem else 200)


@dataclass(frozen=True, slots=True)
class Label:
    device: Device
    address: str
    size: int
    """Modules of the code, its quiet zone included; the drawing's box."""
    drawn: str
    """Path of its dark modules."""


@router.get("/device-labels")
def labels(
    request: Request,
    visit: Seer,
    number: Annotated[list[str] | None, Query()] = None,
) -> Response:
    """Show a sheet of labels, of the devices named or of all that are registered."""
    seen = [one.device for one in seen_devices(visit) if one.device.registered_at]
    wanted = [one for one in seen if number is None or one.number in number]
    if number is not None and not wanted:
        raise NotFound(
            T("There is no device {number}.", number=", ".join(number)),
            T("The list of devices shows them."),
        )
    base = base_address(request, visit)
    values = {"labels": [label(base, one) for one in wanted], "is_one": number is not None}
    return page(request, "devices/labels.html", values)


def label(base: str, device: Device) -> Label:
    """Return a device's label; its code is the address of the device's page."""
    address = f"{base}/devices/{quote(device.number)}"
    size, drawn = code(address)
    return Label(device, address, size, drawn)


@lru_cache(maxsize=512)  # a sheet of hundreds takes a second, and the same is printed again
def code(text: str) -> tuple[int, str]:
    """Return a QR code as the size of its box and the path of its dark modules (ISO 18004)."""
    made = segno.make(text, error="m", micro=False)
    quiet = 4
    steps = []
    for y, row in enumerate(made.matrix):
        x = 0
        while x < len(row):
            end = x
            while end < len(row) and row[end]:
                end += 1
            if end > x:
                steps.append(f"M{x + quiet},{y + quiet}h{end - x}v1h-{end - x}z")
            x = max(end, x + 1)
    return len(made.matrix) + 2 * quiet, "".join(steps)
