"""A check's findings as JSON, for catalogue, custody log and live status alike."""

from collections.abc import Mapping
from typing import Any

from recorder_sync.model import Battery, ClockOffset, FileSystemState, Health, Storage


def health_json(health: Health) -> dict[str, object]:
    """Return what a check found; what could not be asked is None."""
    battery, storage, clock = health.battery, health.storage, health.clock
    return {
        "battery": {
            "percent": battery.percent,
            "source": battery.source,
            "charging": battery.charging,
        }
        if battery
        else None,
        "storage": storage_json(storage),
        "clock_offset_s": clock.seconds if clock else None,
        "clock_source": clock.source if clock else None,
        "file_system": health.file_system.value if health.file_system else None,
        "firmware": health.firmware,
        "firmware_source": health.firmware_source,
        "maker": health.maker,
        "model": health.model,
        "model_source": health.model_source,
        "read_errors": health.read_errors,
    }


def storage_json(storage: Storage | None) -> dict[str, int] | None:
    if storage is None:
        return None
    return {"total": storage.total, "used": storage.used, "free": storage.free}


def health_of(found: Mapping[str, Any]) -> Health:
    """Return what `health_json` wrote."""
    battery, storage, offset = found["battery"], found["storage"], found["clock_offset_s"]
    state = found["file_system"]
    return Health(
        battery=Battery(battery["percent"], battery["source"], battery["charging"])
        if battery
        else None,
        storage=Storage(**storage) if storage else None,
        clock=ClockOffset(float(offset), found["clock_source"]) if offset is not None else None,
        file_system=FileSystemState(state) if state else None,
        firmware=found["firmware"],
        maker=found["maker"],
        model=found["model"],
        read_errors=found["read_errors"],
        firmware_source=found.get("firmware_source"),
        model_source=found.get("model_source"),
    )
