"""The battery that the kernel knows of a USB device, from sysfs.

Few cameras have one: those that show a HID battery, and some phones. Documentation/ABI/
testing/sysfs-class-power of the kernel says what the files mean.
"""

import os
from pathlib import Path

from recorder_sync.dock.device_report import DeviceReport
from recorder_sync.rules import reported

_MOST_FOLDERS = 4096
_LARGEST = 256


def battery(usb_path: Path) -> DeviceReport | None:
    """Return what the batteries below a USB device's folder in sysfs say, None without one.

    Of several, the emptiest counts: it is the one that ends a recording.
    """
    found = [
        (percent, _charging(folder))
        for folder in _supplies(usb_path)
        if _text(folder / "type") in {None, "Battery"}
        and (percent := reported.percent(_text(folder / "capacity") or "")) is not None
    ]
    if not found:
        return None
    percent, charging = min(found, key=lambda one: one[0])
    return DeviceReport(percent=percent, charging=charging)


def _supplies(usb_path: Path) -> list[Path]:
    supplies = []
    for seen, (folder, names, _) in enumerate(os.walk(usb_path)):
        if seen == _MOST_FOLDERS:
            break
        if Path(folder).name == "power_supply":
            supplies += [Path(folder) / name for name in names]
            names.clear()
    return supplies


def _charging(folder: Path) -> bool | None:
    return reported.charging(_text(folder / "status") or "")


def _text(path: Path) -> str | None:
    """Return an attribute; None where the kernel has none, or the device does not answer."""
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST).decode("ascii", "replace").strip()
    except OSError:
        return None
