"""Which file systems keep what they are given on a device of this computer."""

from pathlib import Path

import psutil

_NO_DEVICE = frozenset(
    {"tmpfs", "ramfs", "overlay", "overlayfs"}
    | {"nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "afs", "9p", "virtiofs"}
    | {"fuse", "fuseblk", "vboxsf", "vmhgfs"}
)
"""File systems of which an O_DIRECT read may still be answered from some memory."""


def file_system_of(path: Path) -> str:
    """Return the type of the file system that holds `path`, such as `ext4`."""
    real = path.resolve()
    mounts: dict[str, str] = {p.mountpoint: p.fstype for p in psutil.disk_partitions(all=True)}
    for folder in (real, *real.parents):
        if str(folder) in mounts:
            return mounts[str(folder)]
    return "unknown"


def has_device(file_system: str) -> bool:
    """Tell whether a file system of this type can prove a read-back at all."""
    return file_system.split(".", maxsplit=1)[0] not in _NO_DEVICE
