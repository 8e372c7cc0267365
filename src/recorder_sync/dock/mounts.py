"""Where a volume is mounted, as the kernel says (`/proc/self/mountinfo`, see proc(5)).

A disk is found by its number, wherever it is mounted; what an MTP camera shows is found
by the folder that its unit mounts it on. A mount that another one covers, or that shows
only a part of the file system, is none. That something is mounted does not prove that it
is still there: see `presence.py`.
"""

import os
import re
import select
import time
from dataclasses import dataclass
from pathlib import Path

from recorder_sync.dock.plugged import Interface, Plugged
from recorder_sync.dock.presence import is_present
from recorder_sync.errors import RecorderSyncError, VolumeGone
from recorder_sync.ingest.stopping import Stop
from recorder_sync.language import T

_MOUNTS = "/proc/self/mountinfo"
_LOOK_S = 0.25
"""How often it is asked whether to stop, and whether the device is still there. A mount
itself is noticed at once."""

_ESCAPED = re.compile(rb"\\([0-7]{3})")


class NotMounted(RecorderSyncError):
    """The volume's mount unit did not do its work."""


@dataclass(frozen=True, slots=True)
class Mount:
    folder: Path
    number: int
    """Device number (st_dev) of the file system."""
    is_whole: bool
    """The file system's own top folder is shown, not one of those in it."""
    is_read_only: bool
    """The file system itself writes nothing, through this mount or any other."""
    source: Path
    """What is mounted, as whoever mounted it named it."""


def mount_of(plugged: Plugged, volumes: Path) -> Mount | None:
    """Return the mount at which to read this volume; one below `volumes` goes first."""
    return _choose(plugged, Path(os.path.realpath(volumes)), _mounts())


def mounted_at(plugged: Plugged, volumes: Path) -> Path | None:
    """Return the folder where this volume is mounted, or None."""
    mount = mount_of(plugged, volumes)
    return None if mount is None else mount.folder


def source_of(number: int) -> Path | None:
    """Return what is mounted of the file system with this device number (st_dev)."""
    return next((m.source for m in _mounts() if m.number == number), None)


def wait_until_mounted(plugged: Plugged, volumes: Path, timeout_s: float, stop: Stop) -> Path:
    """Return the folder where this volume is mounted, as soon as it is.

    Raises NotMounted after `timeout_s` seconds, VolumeGone when the device is pulled out
    first, Stopping when `stop` is requested.
    """
    end = time.monotonic() + timeout_s
    with open(_MOUNTS, "rb") as table:
        changes = select.poll()
        changes.register(table, select.POLLPRI)
        while True:
            stop.check()
            folder = mounted_at(plugged, volumes)
            if folder is not None:
                return folder
            if not is_present(plugged):
                raise VolumeGone(
                    T("{node} was unplugged before it was mounted.", node=plugged.node),
                    T("Plug the device in again; everything that is on it is still there."),
                )
            left = end - time.monotonic()
            if left <= 0:
                raise _not_mounted(plugged, timeout_s)
            changes.poll(min(left, _LOOK_S) * 1000)


def parse(table: bytes) -> list[Mount]:
    """Return the mounts of a mountinfo table that can be seen, each folder once."""
    on_top: dict[Path, Mount] = {}
    for line in filter(None, table.split(b"\n")):
        fields, _, behind = line.partition(b" - ")
        _, _, number, root, folder, *_ = fields.split(b" ")
        major, minor = number.split(b":")
        _, source, *_, options = behind.split(b" ")
        mount = Mount(
            folder=_path(folder),
            number=os.makedev(int(major), int(minor)),
            is_whole=root == b"/",
            is_read_only=b"ro" in options.split(b","),
            source=_path(source),
        )
        on_top[mount.folder] = mount
    return list(on_top.values())


def _mounts() -> list[Mount]:
    with open(_MOUNTS, "rb") as table:
        return parse(table.read())


def _choose(plugged: Plugged, volumes: Path, mounts: list[Mount]) -> Mount | None:
    ours = volumes / plugged.mount_name
    if plugged.interface is Interface.MTP:
        return next((m for m in mounts if m.folder == ours), None)
    its = [m for m in mounts if m.is_whole and m.number == plugged.number]
    return min(
        its,
        key=lambda m: (m.folder != ours, not m.folder.is_relative_to(volumes)),
        default=None,
    )


def _path(field: bytes) -> Path:
    raw = _ESCAPED.sub(lambda found: bytes([int(found[1], 8) & 0xFF]), field)
    return Path(os.fsdecode(raw))


def _not_mounted(plugged: Plugged, timeout_s: float) -> NotMounted:
    return NotMounted(
        T(
            "{node} was not mounted within {seconds} s.",
            node=plugged.node,
            seconds=f"{timeout_s:g}",
        ),
        T(
            "Plug the device in again. If that does not help, see why with: "
            "systemctl status 'recorder-sync-mount@{name}.service'",
            name=plugged.mount_name,
        ),
    )
