"""Whether a card's file system was left cleanly, by the marks that its kind keeps.

Read from the device, never written. What is damaged, unknown or may not be read is
unknown: only a mark that is there counts.
"""

import os
import stat
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from recorder_sync.model import FileSystemState

ReadAt = Callable[[int, int], bytes]
"""Returns up to so many bytes (second) from an offset (first) on; raises OSError."""

_SECTOR_SIZES = (512, 1024, 2048, 4096)
_MOST_FAT12_CLUSTERS = 4084
_MOST_FAT16_CLUSTERS = 65524


def state_on_device(node: Path, number: int | None, kind: str | None) -> FileSystemState | None:
    """Return the state of the file system on a device node, or None when it is not known.

    `number` is the device's; another device that has its node by now is not looked at.
    `kind` is the file system's name as the kernel has it, such as `vfat`.
    """
    with suppress(OSError):
        handle = os.open(node, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            found = os.fstat(handle)
            if stat.S_ISBLK(found.st_mode) and found.st_rdev == number:
                return state_of(kind, lambda offset, length: os.pread(handle, length, offset))
        finally:
            os.close(handle)
    return None


def state_of(kind: str | None, read_at: ReadAt) -> FileSystemState | None:
    """Return what a file system of this kind says of itself. Raises OSError of `read_at`."""
    match kind:
        case "vfat":
            is_clean = _fat_is_clean(read_at)
        case "exfat":
            is_clean = _exfat_is_clean(read_at)
        case "ext2" | "ext3" | "ext4":
            is_clean = _ext_is_clean(read_at)
        case _:
            is_clean = None
    if is_clean is None:
        return None
    return FileSystemState.CLEAN if is_clean else FileSystemState.DIRTY


def _fat_is_clean(read_at: ReadAt) -> bool | None:
    """Linux marks a byte of the boot sector, Windows and cameras the second FAT entry.

    Microsoft's FAT specification, "FAT[1]"; FAT12 has no room for a mark there.
    """
    boot = read_at(0, 512)
    if len(boot) < 512 or boot[510:] != b"\x55\xaa" or boot[0] not in {0xE9, 0xEB}:
        return None
    bits = _fat_bits(boot)
    if bits is None:
        return None
    # Either bit is bad news: not unmounted, or sectors could not be read.
    if boot[0x41 if bits == 32 else 0x25] & 0b11:
        return False
    if bits == 12:
        return True
    width, both = (4, 0x0C000000) if bits == 32 else (2, 0xC000)
    sector, reserved = (int.from_bytes(boot[at : at + 2], "little") for at in (11, 14))
    entry = read_at(reserved * sector + width, width)
    return int.from_bytes(entry, "little") & both == both if len(entry) == width else None


def _fat_bits(boot: bytes) -> int | None:
    """Return the width of a FAT's entries, by its number of clusters; None: not a FAT."""
    sector, per_cluster, reserved, fats, roots, few, _, small = struct.unpack_from(
        "<HBHBHHBH", boot, 11
    )
    many, large = struct.unpack_from("<II", boot, 32)
    if sector not in _SECTOR_SIZES or not (per_cluster and reserved and fats):
        return None
    before_data = reserved + fats * (small or large) - (-roots * 32 // sector)
    clusters = ((few or many) - before_data) // per_cluster
    if clusters < 1 or (small and clusters > _MOST_FAT16_CLUSTERS):
        return None
    if not small:
        return 32
    return 12 if clusters <= _MOST_FAT12_CLUSTERS else 16


def _exfat_is_clean(read_at: ReadAt) -> bool | None:
    """VolumeFlags of Microsoft's exFAT specification: VolumeDirty and MediaFailure."""
    boot = read_at(0, 512)
    if len(boot) < 512 or boot[3:11] != b"EXFAT   " or boot[510:] != b"\x55\xaa":
        return None
    return not int.from_bytes(boot[106:108], "little") & 0b110


def _ext_is_clean(read_at: ReadAt) -> bool | None:
    """s_state of the superblock, and whether its journal waits to be replayed."""
    block = read_at(1024, 1024)
    if len(block) < 1024 or block[0x38:0x3A] != b"\x53\xef":
        return None
    state, needs = (int.from_bytes(block[at : at + 2], "little") for at in (0x3A, 0x60))
    return state == 1 and not needs & 0x4
