"""A recorder that runs Android, asked through the program adb.

Only where a profile asks for it: adb starts a server of its own, and the recorder must
trust this station's key.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime

from recorder_sync.dock import program
from recorder_sync.dock.device_report import DeviceReport, halfway
from recorder_sync.dock.plugged import Plugged
from recorder_sync.errors import ProgramFailure
from recorder_sync.rules import reported

_LIMIT_S = 5.0
_FAKED = "UPDATES STOPPED"
_LINE = re.compile(r"^  (present|status|level|scale): (\S+)$", re.MULTILINE)
_CHARGING = {"2": True, "3": False, "4": False, "5": False}
"""android.os.BatteryManager: charging, discharging, not charging, full."""


def ask(plugged: Plugged, now: Callable[[], datetime]) -> DeviceReport | None:
    """Return what the recorder says; None when its serial number is not known.

    Raises ProgramFailure when adb is not installed or does not reach the recorder.
    """
    serial = plugged.usb.serial
    if serial is None:
        return None
    battery = read_battery(_shell(serial, "dumpsys", "battery"))
    begun = now()
    shown = _perhaps(serial, "date", "+%s")
    at = halfway(begun, now())
    return DeviceReport(
        percent=battery.percent,
        charging=battery.charging,
        clock=reported.time(shown, None, UTC),
        at=at,
        firmware=reported.name(_perhaps(serial, "getprop", "ro.build.display.id")),
        model=reported.name(_perhaps(serial, "getprop", "ro.product.model")),
    )


def read_battery(text: str) -> DeviceReport:
    """Return what `dumpsys battery` says; nothing where somebody set its values by hand."""
    said: dict[str, str] = {}
    for key, value in _LINE.findall(text.replace("\r", "")):
        said.setdefault(key, value)
    if _FAKED in text or said.get("present") != "true" or said.get("scale") != "100":
        return DeviceReport()
    return DeviceReport(
        percent=reported.percent(said.get("level", "")),
        charging=_CHARGING.get(said.get("status", "")),
    )


def _shell(serial: str, *command: str) -> str:
    said = program.run(["adb", "-s", serial, "shell", *command], _LIMIT_S)
    return said.decode("utf-8", "replace")


def _perhaps(serial: str, *command: str) -> str:
    """Return what it says, or nothing: the battery is known by then, and stays so."""
    try:
        return _shell(serial, *command)
    except ProgramFailure:
        return ""
