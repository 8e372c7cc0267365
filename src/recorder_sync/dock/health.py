"""The check at a docking: battery, storage, clock, file system, firmware, model.

Every value has a source, or is unknown (promise 7). The sources are asked beside each
other and within a limit; one that fails or hangs costs only what it alone knows. Only the
programs take turns, since they speak to the same device over the same wire.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from functools import partial
from pathlib import Path
from threading import Lock

import psutil

from recorder_sync.dock import gphoto2, phone, power_supply, status_file, vendor_command
from recorder_sync.dock.asking import Asking
from recorder_sync.dock.device_report import DeviceReport
from recorder_sync.dock.file_system import state_on_device
from recorder_sync.dock.plugged import Plugged
from recorder_sync.dock.status_file import FileReader
from recorder_sync.ingest.volume import Volume
from recorder_sync.model import Battery, ClockOffset, Health, Storage
from recorder_sync.rules.naming import GENERIC, HealthSource, Profile

_LIMIT_S = 5.0
_STATUS_FILE_LIMIT_S = 15.0
_PROGRAM_LIMIT_S = 60.0
"""With the wait for the others; each program is ended before it by a limit of its own."""

_USUAL = (
    HealthSource.VENDOR_COMMAND,
    HealthSource.SYSFS,
    HealthSource.GPHOTO2,
    HealthSource.STATUS_FILE,
)
_USB = "usb"
"""Source of a model that only the USB descriptors name."""

_Ask = Callable[[], DeviceReport | None]


def check(
    plugged: Plugged | None,
    volume: Volume | None,
    profiles: Sequence[Profile],
    reader: FileReader,
    zone: tzinfo,
    now: Callable[[], datetime],
) -> Health:
    """Return what can be found out about a device; never raises for what cannot.

    `plugged` is None for a folder that is no device: then only a status file can speak.
    `volume` is None for a device without files. `reader` is the describer, `zone` the
    station's. Takes as long as the slowest source, at most the sum of the programs' limits.
    `read_errors` is the caller's to count.
    """
    profile = _profile_for(plugged, profiles)
    order = profile.health_from or _USUAL
    ways: dict[HealthSource, _Ask] = {}
    on_card = _profiles_of_card(plugged, profiles)
    if volume and on_card and HealthSource.STATUS_FILE in order:
        read = status_file.reading(volume, on_card, reader, zone, now)
        ways[HealthSource.STATUS_FILE] = read
    if plugged:
        ways |= _ways_to_ask(plugged, profile, zone, now)
    asked = {s: Asking(s, _limit_s(s, profile), ways[s]) for s in order if s in ways}
    file_system = storage = None
    if plugged:
        on_node = partial(state_on_device, plugged.node, plugged.number, plugged.file_system)
        file_system = Asking("file system", _LIMIT_S, on_node)
    if plugged and volume:
        storage = Asking("storage", _LIMIT_S, partial(_storage, volume.root))
    reports = {source: found for source, one in asked.items() if (found := one.answer())}
    return replace(
        _together(plugged, reports),
        storage=storage.answer() if storage else None,
        file_system=file_system.answer() if file_system else None,
    )


def _profile_for(plugged: Plugged | None, profiles: Sequence[Profile]) -> Profile:
    return next((p for p in profiles if plugged and p.is_for(plugged.usb)), GENERIC)


def _profiles_of_card(plugged: Plugged | None, profiles: Sequence[Profile]) -> list[Profile]:
    """Return the profiles whose status files this card may have."""
    return [
        p for p in profiles if p.status_files and (not p.usb or (plugged and p.is_for(plugged.usb)))
    ]


def _ways_to_ask(
    plugged: Plugged, profile: Profile, zone: tzinfo, now: Callable[[], datetime]
) -> dict[HealthSource, _Ask]:
    turns = Lock()
    clock = profile.status_clock
    ways: dict[HealthSource, _Ask] = {
        HealthSource.SYSFS: partial(power_supply.battery, Path(plugged.usb_path)),
        HealthSource.GPHOTO2: _in_turn(turns, partial(gphoto2.ask, plugged, clock, zone, now)),
        HealthSource.ADB: _in_turn(turns, partial(phone.ask, plugged, now)),
    }
    if command := profile.vendor_command:
        ways[HealthSource.VENDOR_COMMAND] = _in_turn(
            turns, partial(vendor_command.ask, command, plugged, clock, zone, now)
        )
    return ways


def _in_turn(turns: Lock, ask: _Ask) -> _Ask:
    def wait_and_ask() -> DeviceReport | None:
        with turns:
            return ask()

    return wait_and_ask


def _limit_s(source: HealthSource, profile: Profile) -> float:
    match source:
        case HealthSource.SYSFS:
            return _LIMIT_S
        case HealthSource.STATUS_FILE:
            return _STATUS_FILE_LIMIT_S
    return _PROGRAM_LIMIT_S + (profile.vendor_command.limit_s if profile.vendor_command else 0)


def _together(plugged: Plugged | None, reports: Mapping[HealthSource, DeviceReport]) -> Health:
    """Return of each value what the best source says; `reports` has the best first."""
    battery = clock = firmware = model = None
    for source, report in reports.items():
        if battery is None and report.percent is not None:
            battery = Battery(report.percent, source, report.charging)
        if clock is None and report.offset_s is not None:
            clock = ClockOffset(report.offset_s, source)
        firmware = firmware or (report.firmware and (report.firmware, source.value))
        model = model or (report.model and (report.model, source.value))
    if not model and plugged and plugged.model:
        model = plugged.model, _USB
    return Health(
        battery=battery,
        clock=clock,
        firmware=firmware[0] if firmware else None,
        firmware_source=firmware[1] if firmware else None,
        model=model[0] if model else None,
        model_source=model[1] if model else None,
    )


def _storage(root: Path) -> Storage | None:
    """Return the space of a mounted device; None where it knows none (some MTP mounts)."""
    usage = psutil.disk_usage(str(root))
    return Storage(usage.total, usage.used, usage.free) if usage.total else None
