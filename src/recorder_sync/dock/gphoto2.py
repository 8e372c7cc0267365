"""A camera in MTP or PTP mode, asked through the program gphoto2.

Its summary names every device property that the camera answers to, by PTP's code. A
camera that is mounted over MTP at that moment belongs to the mount: it says nothing here.
"""

import re
from collections.abc import Callable
from datetime import datetime, tzinfo
from pathlib import Path

from recorder_sync.dock import program
from recorder_sync.dock.device_report import DeviceReport, halfway
from recorder_sync.dock.plugged import Interface, Plugged
from recorder_sync.rules import reported
from recorder_sync.rules.naming import Clock

_LIMIT_S = 15.0
_USB = Path("/dev/bus/usb")
_BATTERY = re.compile(r"^[^\n(]*\(0x5001\):.* value: (\d+%) \(", re.MULTILINE)
_CLOCK = re.compile(r"^[^\n(]*\(0x5011\):.* '([^'\n]*)'", re.MULTILINE)
_MODEL = re.compile(r"^Model: (.+)$", re.MULTILINE)
_VERSION = re.compile(r"^ +Version: (.+)$", re.MULTILINE)


def ask(
    plugged: Plugged, clock: Clock | None, zone: tzinfo, now: Callable[[], datetime]
) -> DeviceReport | None:
    """Return what gphoto2 reads from the camera; None for a device that is a disk.

    Raises ProgramFailure when gphoto2 is not installed or cannot ask the camera.
    """
    node = plugged.node
    if plugged.interface is not Interface.MTP or not node.is_relative_to(_USB):
        return None
    bus, device = node.parts[-2:]
    begun = now()
    summary = program.run(["gphoto2", "--port", f"usb:{bus},{device}", "--summary"], _LIMIT_S)
    return read_summary(summary.decode("utf-8", "replace"), clock, zone, halfway(begun, now()))


def read_summary(text: str, clock: Clock | None, zone: tzinfo, at: datetime) -> DeviceReport:
    """Return what a summary, as gphoto2 prints it, says of the camera."""
    battery, shown, model, version = (
        match[1] if (match := pattern.search(text)) else ""
        for pattern in (_BATTERY, _CLOCK, _MODEL, _VERSION)
    )
    return DeviceReport(
        percent=reported.percent(battery),
        clock=reported.time(shown, clock, zone),
        at=at,
        firmware=reported.name(version),
        model=reported.name(model),
    )
