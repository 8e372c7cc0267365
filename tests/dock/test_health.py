"""A docked device is asked how it is: every value has a source, or is unknown (promise 7)."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psutil
import pytest

from recorder_sync.config import Media as MediaSettings
from recorder_sync.config import Profile as ProfileSettings
from recorder_sync.dock.health import check
from recorder_sync.dock.plugged import Plugged
from recorder_sync.ingest.volume import Volume
from recorder_sync.media.describer import Describer
from recorder_sync.model import Battery, ClockOffset, Health
from tests.conftest import Card
from tests.dock.plugged_camera import DISK, MTP, stand_in

NOW = datetime(2026, 11, 23, 10, 0, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def describer() -> Iterator[Describer]:
    with closing(Describer(MediaSettings(processes=1, time_limit_s=10))) as one:
        yield one


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that comes first on PATH."""
    folder = tmp_path / "programs"
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


class Checkup:
    """Checks a plugged camera with one profile, ten in the morning UTC."""

    def __init__(self, describer: Describer) -> None:
        self._describer = describer

    def __call__(
        self, plugged: Plugged | None, card: Card | None = None, **profile: object
    ) -> Health:
        settings = ProfileSettings.model_validate({"name": "ours", **profile})
        zone = ZoneInfo("Asia/Shanghai")
        volume = Volume(card.path) if card else None
        try:
            return check(plugged, volume, [settings.compiled()], self._describer, zone, lambda: NOW)
        finally:
            if volume:
                volume.close()


@pytest.fixture
def checkup(describer: Describer) -> Checkup:
    return Checkup(describer)


def test_of_a_device_that_tells_nothing_everything_is_unknown(checkup: Checkup) -> None:
    assert checkup(DISK) == Health()
    assert checkup(None) == Health()


# The kernel.


def _supply(usb: Path, name: str, **attributes: str) -> Path:
    folder = usb / "1-1.2:1.1" / "0003:4255:1000.0001" / "power_supply" / name
    folder.mkdir(parents=True)
    for attribute, value in attributes.items():
        (folder / attribute).write_text(value + "\n")
    return usb


def _with_sysfs(usb: Path) -> Plugged:
    return replace(DISK, usb_path=str(usb))


def test_the_kernel_knows_the_battery(checkup: Checkup, tmp_path: Path) -> None:
    usb = _supply(tmp_path, "hid-1-battery", type="Battery", capacity="83", status="Charging")
    assert checkup(_with_sysfs(usb)).battery == Battery(83, "sysfs", charging=True)


def test_of_two_batteries_the_emptier_counts_and_a_charger_is_none(
    checkup: Checkup, tmp_path: Path
) -> None:
    _supply(tmp_path, "a", type="Battery", capacity="90", status="Full")
    _supply(tmp_path, "b", type="Battery", capacity="40", status="Unknown")
    _supply(tmp_path, "c", type="USB", capacity="1")
    assert checkup(_with_sysfs(tmp_path)).battery == Battery(40, "sysfs", charging=None)


_HID_CAMERA = """\
P: /devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1.2
E: SUBSYSTEM=usb
E: DEVTYPE=usb_device
A: idVendor=4255\\n
A: idProduct=1000\\n

P: /devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1.2/1-1.2:1.1/0003:4255:1000.0001/power_supply/hid-C0031-battery
E: SUBSYSTEM=power_supply
A: type=Battery\\n
A: scope=Device\\n
A: present=1\\n
A: status=Charging\\n
A: capacity=83\\n
"""  # noqa: E501
_ASK_SYSFS = """
from pathlib import Path
from recorder_sync.dock.power_supply import battery
found = battery(Path("/sys/devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1.2"))
print(found.percent, found.charging)
"""


def test_a_battery_is_found_where_the_kernel_puts_it(tmp_path: Path) -> None:
    if shutil.which("umockdev-run") is None:
        pytest.skip("umockdev-run is not installed: sudo apt-get install umockdev")
    (tmp_path / "camera.umockdev").write_text(_HID_CAMERA)
    done = subprocess.run(
        [
            *("umockdev-run", "--device", str(tmp_path / "camera.umockdev"), "--"),
            *(sys.executable, "-c", _ASK_SYSFS),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "83 True\n", done.stderr


def test_links_in_sysfs_do_not_lead_to_another_device(checkup: Checkup, tmp_path: Path) -> None:
    other = _supply(tmp_path / "other", "bat", type="Battery", capacity="83")
    usb = tmp_path / "usb"
    usb.mkdir()
    (usb / "port").symlink_to(other)
    assert checkup(_with_sysfs(usb)).battery is None


@pytest.mark.parametrize("capacity", ["255", "-5", "", "n/a"])
def test_a_percentage_that_cannot_be_is_unknown(
    checkup: Checkup, tmp_path: Path, capacity: str
) -> None:
    usb = _supply(tmp_path, "bat", type="Battery", capacity=capacity)
    assert checkup(_with_sysfs(usb)).battery is None


# A file on the card.

STATUS_INI = {
    "path": r"(?i)(.*/)?status\.ini",
    "format": "ini",
    "keys": {"bat": "battery", "chg": "charging", "time": "clock", "ver": "firmware"},
}


def test_a_status_file_tells_battery_clock_and_firmware(checkup: Checkup, card: Card) -> None:
    card.put(
        "INFO/status.ini",
        "bat=79%\nchg=1\ntime=2026-11-23 18:02:00\nver=1.0 版本".encode("gb18030"),
    )
    found = checkup(None, card, status_files=[STATUS_INI])
    assert found.battery == Battery(79, "status-file", charging=True)
    assert found.clock == ClockOffset(120.0, "status-file")
    assert (found.firmware, found.firmware_source) == ("1.0 版本", "status-file")


def test_json_xml_and_text_status_files_are_read(checkup: Checkup, card: Card) -> None:
    card.put("status.json", b'{"battery": 82.5}')
    files = {"path": r"status\.json", "format": "json", "keys": {"battery": "battery"}}
    assert checkup(None, card, status_files=[files]).battery == Battery(82, "status-file")
    card.put("status.xml", b'<camera><power level="81"/></camera>')
    files = {"path": r"status\.xml", "format": "xml", "keys": {"level": "battery"}}
    assert checkup(None, card, status_files=[files]).battery == Battery(81, "status-file")
    card.put("battery.txt", b"80\r\n")
    files = {"path": r"battery\.txt", "format": "text", "keys": {"number": "battery"}}
    assert checkup(None, card, status_files=[files]).battery == Battery(80, "status-file")


@pytest.mark.parametrize(
    "content", [b"bat=101\ntime=0000-00-00 00:00:00\nver=" + b"x" * 200, b"\0\xff", b"bat"]
)
def test_a_status_file_that_cannot_be_right_says_nothing(
    checkup: Checkup, card: Card, content: bytes
) -> None:
    card.put("status.ini", content)
    assert checkup(None, card, status_files=[STATUS_INI]) == Health()


def test_links_and_deep_folders_are_no_status_files(
    checkup: Checkup, card: Card, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere.ini").write_text("bat=80")
    (card.path / "status.ini").symlink_to(tmp_path / "elsewhere.ini")
    card.put("a/b/c/status.ini", b"bat=70")
    assert checkup(None, card, status_files=[STATUS_INI]).battery is None
    card.put("a/b/status.ini", b"bat=60")
    assert checkup(None, card, status_files=[STATUS_INI]).battery == Battery(60, "status-file")


def test_a_status_file_of_another_model_is_not_read(checkup: Checkup, card: Card) -> None:
    card.put("status.ini", b"bat=79")
    found = checkup(DISK, card, status_files=[STATUS_INI], usb=["ffff:0001"])
    assert found.battery is None


# gphoto2. What stands in for it prints what gphoto2 2.5 does.

GPHOTO2 = r"""
[ "$*" = "--port usb:001,005 --summary" ] || exit 1
cat <<'END'
Camera summary:
Manufacturer: SIMULATED Inc.
Model: DSJ-X
  Version: 1.4.2
  Serial Number: 0123456789
Vendor Extension ID: 0x6 (1.0)

Device Property Summary:
Property 0xd407:(read only) (type=0x6) 1
Battery Level(0x5001):(read only) (type=0x2) Range [0 - 100, step 1] value: 83% (83)
Date & Time(0x5011):(readwrite) (type=0xffff) '20261123T175930'
END
"""


def test_a_camera_in_mtp_mode_is_asked_through_gphoto2(checkup: Checkup, programs: Path) -> None:
    stand_in(programs, "gphoto2", GPHOTO2)
    assert checkup(MTP) == Health(
        battery=Battery(83, "gphoto2"),
        clock=ClockOffset(-30.0, "gphoto2"),
        firmware="1.4.2",
        firmware_source="gphoto2",
        model="DSJ-X",
        model_source="gphoto2",
    )


def test_a_property_that_gphoto2_cannot_read_is_unknown(checkup: Checkup, programs: Path) -> None:
    stand_in(programs, "gphoto2", "echo 'Battery Level(0x5001): error 200a on query.'")
    assert checkup(MTP) == Health()


def test_a_disk_is_not_asked_through_gphoto2(checkup: Checkup, programs: Path) -> None:
    stand_in(programs, "gphoto2", f"touch {programs}/asked")
    checkup(DISK)
    assert not (programs / "asked").exists()


def test_without_gphoto2_the_rest_is_known(
    checkup: Checkup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    usb = _supply(tmp_path, "bat", type="Battery", capacity="83")
    assert checkup(replace(MTP, usb_path=str(usb))).battery == Battery(83, "sysfs")


# adb. What stands in for it prints what Android 13 does.

ADB = r"""
[ "$1 $2 $3" = "-s C0031 shell" ] || exit 1
shift 3
case "$*" in
"dumpsys battery") cat <<'END'
Current Battery Service state:
  AC powered: false
  USB powered: true
  Wireless powered: false
  Max charging current: 500000
  Max charging voltage: 5000000
  Charge counter: 2430000
  status: 2
  health: 2
  present: true
  level: 84
  scale: 100
  voltage: 4063
  temperature: 326
  technology: Li-ion
END
;;
"date +%s") echo 1795428005;;
"getprop ro.product.model") echo DSJ-A1;;
"getprop ro.build.display.id") echo TQ3A.230805.001;;
esac
"""
ASK_ADB: dict[str, Any] = {"usb": ["4255:1000"], "health_from": ["adb", "sysfs"]}


def test_an_android_recorder_is_asked_through_adb(checkup: Checkup, programs: Path) -> None:
    stand_in(programs, "adb", ADB)
    assert checkup(DISK, **ASK_ADB) == Health(
        battery=Battery(84, "adb", charging=True),
        clock=ClockOffset(5.0, "adb"),
        firmware="TQ3A.230805.001",
        firmware_source="adb",
        model="DSJ-A1",
        model_source="adb",
    )


@pytest.mark.parametrize(
    "doubt",
    [
        "s/Current Battery Service state:/& (UPDATES STOPPED -- use 'reset' to restart)/",
        "s/present: true/present: false/",
        "s/level: 84/level: -1/",
    ],
)
def test_a_battery_that_adb_is_not_sure_of_is_unknown(
    checkup: Checkup, programs: Path, doubt: str
) -> None:
    real = stand_in(programs, "adb-as-it-is", ADB)
    stand_in(programs, "adb", f'{real} "$@" | sed "{doubt}"')
    assert checkup(DISK, **ASK_ADB).battery is None


def test_adb_is_not_started_where_no_profile_asks_for_it(checkup: Checkup, programs: Path) -> None:
    stand_in(programs, "adb", f"touch {programs}/asked")
    checkup(DISK, usb=["4255:1000"])
    assert not (programs / "asked").exists()


# A maker's command.


def _vendor(checkup: Checkup, programs: Path, script: str, limit_s: float = 60) -> Health:
    command = stand_in(programs, "vendor", script)
    return checkup(
        DISK, usb=["4255:1000"], vendor_command=[str(command)], vendor_command_limit_s=limit_s
    )


def test_a_vendor_command_tells_what_it_knows(checkup: Checkup, programs: Path) -> None:
    found = _vendor(
        checkup,
        programs,
        """echo '{"battery_percent": 71, "charging": false, "model": "'$RECORDER_SYNC_SERIAL'",
        "clock": "2026-11-23T18:00:01+08:00", "firmware": null, "more": [1]}'""",
    )
    assert found == Health(
        battery=Battery(71, "vendor-command", charging=False),
        clock=ClockOffset(1.0, "vendor-command"),
        model="C0031",
        model_source="vendor-command",
    )


@pytest.mark.parametrize(
    "said",
    [
        '{"battery_percent": "71"}',
        '{"battery_percent": true}',
        '{"battery_percent": NaN}',
        '{"battery_percent": -1, "clock": 17, "firmware": ["x"], "charging": "yes"}',
        '[{"battery_percent": 71}]',
        "{" * 5000,
        "battery: 71",
        "",
    ],
)
def test_what_a_vendor_command_may_not_say_is_unknown(
    checkup: Checkup, programs: Path, said: str
) -> None:
    assert _vendor(checkup, programs, f"echo '{said}'") == Health()


def test_a_bad_value_does_not_take_the_others_with_it(checkup: Checkup, programs: Path) -> None:
    found = _vendor(checkup, programs, """echo '{"battery_percent": 171, "model": "X"}'""")
    assert (found.battery, found.model) == (None, "X")


def test_a_vendor_command_that_hangs_costs_only_what_it_knows(
    checkup: Checkup, programs: Path, tmp_path: Path
) -> None:
    usb = _supply(tmp_path / "usb", "bat", type="Battery", capacity="83")
    command = stand_in(programs, "vendor", "sleep 1000")
    found = checkup(
        _with_sysfs(usb),
        usb=["4255:1000"],
        vendor_command=[str(command)],
        vendor_command_limit_s=0.2,
    )
    assert found.battery == Battery(83, "sysfs")


def test_the_order_of_the_profile_decides_whose_value_counts(
    checkup: Checkup, programs: Path, tmp_path: Path, card: Card
) -> None:
    usb = _with_sysfs(_supply(tmp_path / "usb", "bat", type="Battery", capacity="83"))
    card.put("status.ini", b"bat=79\nver=2.0")
    both: dict[str, Any] = {"usb": ["4255:1000"], "status_files": [STATUS_INI]}
    found = checkup(usb, card, **both)
    assert (found.battery, found.firmware) == (Battery(83, "sysfs"), "2.0")
    found = checkup(usb, card, **both, health_from=["status-file", "sysfs"])
    assert found.battery == Battery(79, "status-file")
    found = checkup(usb, card, **both, health_from=["sysfs"])
    assert found.firmware is None


# Storage, and what USB says.


def test_the_storage_of_a_device_is_measured_and_that_of_a_folder_is_not(
    checkup: Checkup, card: Card
) -> None:
    found = checkup(DISK, card).storage
    assert found is not None
    assert found.total == psutil.disk_usage(str(card.path)).total
    assert checkup(None, card).storage is None


def test_the_model_of_the_usb_descriptors_is_the_last_resort(checkup: Checkup) -> None:
    found = checkup(replace(DISK, model="USB_Camera"))
    assert (found.model, found.model_source) == ("USB_Camera", "usb")
