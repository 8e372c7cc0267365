"""A maker's own program that prints a device's state as one JSON object.

    {"battery_percent": 83, "charging": true, "clock": "2026-11-23T18:00:00+08:00",
     "firmware": "1.2.3", "model": "DSJ-X"}

Every key may be absent or null. A value of another type, or one that cannot be, is
unknown; the others count.
"""

import json
from collections.abc import Callable
from datetime import datetime, tzinfo

from recorder_sync.dock import program
from recorder_sync.dock.device_report import DeviceReport, halfway
from recorder_sync.dock.plugged import Plugged
from recorder_sync.errors import ProgramFailure
from recorder_sync.language import T
from recorder_sync.rules import reported
from recorder_sync.rules.naming import Clock, Command


def ask(
    command: Command,
    plugged: Plugged,
    clock: Clock | None,
    zone: tzinfo,
    now: Callable[[], datetime],
) -> DeviceReport:
    """Return what the program says of the device. Raises ProgramFailure."""
    begun = now()
    said = program.run(command.arguments, command.limit_s, program.about(plugged))
    return read_answer(said, clock, zone, halfway(begun, now()))


def read_answer(said: bytes, clock: Clock | None, zone: tzinfo, at: datetime) -> DeviceReport:
    """Return what the JSON says. Raises ProgramFailure when it is no JSON object."""
    try:
        found = json.loads(said)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ProgramFailure(
            T("The vendor command did not print one JSON object."),
            T("Run it by hand, and compare what it prints with docs/profiles.md."),
        )
    percent, charging = found.get("battery_percent"), found.get("charging")
    return DeviceReport(
        percent=reported.percent(repr(percent)) if type(percent) in {int, float} else None,
        charging=charging if isinstance(charging, bool) else None,
        clock=reported.time(_text(found.get("clock")), clock, zone),
        at=at,
        firmware=reported.name(_text(found.get("firmware"))),
        model=reported.name(_text(found.get("model"))),
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
