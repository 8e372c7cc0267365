"""Whether a volume is still there, asked before anything is believed about its files.

A pulled vfat card lists as empty, without an error, and its mount stays listed: only the
device itself tells.
"""

import os
import stat
from pathlib import Path

from recorder_sync.dock.plugged import Interface, Plugged

_BLOCK_DEVICES = Path("/sys/dev/block")


def is_present(plugged: Plugged) -> bool:
    """Tell whether the very device, with the very medium, that came is there now."""
    if plugged.interface is Interface.MTP or plugged.number is None:
        return Path(plugged.usb_path).is_dir() and plugged.node.exists()
    try:
        node = plugged.node.stat()
    except OSError:
        return False
    if not stat.S_ISBLK(node.st_mode) or node.st_rdev != plugged.number:
        return False
    return _has_medium(plugged.number, plugged.disk_sequence)


def _has_medium(number: int, disk_sequence: int | None) -> bool:
    device = _BLOCK_DEVICES / f"{os.major(number)}:{os.minor(number)}"
    if not _number_in(device / "size"):
        return False
    # A partition has its disk's sequence, one folder up.
    now = _number_in(device / "diskseq") or _number_in(device / ".." / "diskseq")
    return disk_sequence is None or now == disk_sequence


def _number_in(file: Path) -> int | None:
    try:
        return int(file.read_text("ascii"))
    except (OSError, ValueError):
        return None
