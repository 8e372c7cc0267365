"""The duty calendar, devices and alerts by the API."""

from datetime import UTC
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import AwareDatetime

from recorder_sync.alert_json import alert_json
from recorder_sync.catalogue import alerts, calendar
from recorder_sync.custodian.duty import enter_calendar, problems_of
from recorder_sync.custodian.standing import standings
from recorder_sync.device_json import device_json, officer_names
from recorder_sync.errors import BadList
from recorder_sync.language import T
from recorder_sync.rules.access import ApiScope
from recorder_sync.web.api.callers import Caller, caller
from recorder_sync.web.api.forms import (
    AlertsForm,
    CalendarEntriesForm,
    DevicesForm,
    EnteredForm,
    KnownCalendarEntriesForm,
    KnownCalendarForm,
)
from recorder_sync.web.api.once import Key, once

router = APIRouter()


@router.get("/calendar", tags=["calendar"])
def list_calendar(
    who: Annotated[Caller, Depends(caller(ApiScope.CALENDAR_READ), scope="function")],
    ending_after: AwareDatetime,
) -> KnownCalendarEntriesForm:
    """The entries that end at that time or later, by their beginning."""
    found = calendar.entries(who.station.catalogue, ending_after.astimezone(UTC))
    return KnownCalendarEntriesForm(calendar=[KnownCalendarForm.of(one) for one in found])


@router.post("/calendar", tags=["calendar"], response_model=EnteredForm)
def enter(
    who: Annotated[Caller, Depends(caller(ApiScope.CALENDAR_WRITE), scope="function")],
    wanted: CalendarEntriesForm,
    key: Key = None,
) -> Response:
    """Enter lines of the duty calendar, all or none; a line of a known id is replaced."""

    def do() -> EnteredForm:
        entries = [one.entry() for one in wanted.calendar]
        problems = [
            T("{id}: {why}", id=entry.id, why=why)
            for entry in entries
            for why in problems_of(who.station, entry)
        ]
        if problems:
            raise BadList(
                T("The calendar has {count} problem(s); nothing was entered.", count=len(problems)),
                problems,
                T("Mend the entries and send them again."),
            )
        return EnteredForm(entered=enter_calendar(who.station, entries, who.token.actor))

    return once(who, key, wanted, do)


@router.get("/devices", tags=["devices"])
def list_devices(
    who: Annotated[Caller, Depends(caller(ApiScope.DEVICES_READ), scope="function")],
) -> DevicesForm:
    """Every device, registered or only seen, and where it is."""
    names = officer_names(who.station.catalogue)
    found = standings(who.station.catalogue)
    return DevicesForm(devices=[device_json(one, names) for one in found])


@router.get("/alerts", tags=["alerts"])
def list_alerts(
    who: Annotated[Caller, Depends(caller(ApiScope.ALERTS_READ), scope="function")],
) -> AlertsForm:
    """What somebody must handle, the worst first."""
    names = officer_names(who.station.catalogue)
    found = alerts.worst_first(alerts.live(who.station.catalogue))
    return AlertsForm(alerts=[alert_json(one, names) for one in found])
