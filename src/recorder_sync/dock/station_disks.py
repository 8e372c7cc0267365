"""The station's own disks, which are never taken for a camera even on a USB port."""

import os
from pathlib import Path

from recorder_sync.config import Configuration

_SYSTEM = (Path("/"), Path("/boot"), Path("/boot/efi"), Path("/usr"), Path("/var"), Path("/home"))


def station_disks(settings: Configuration) -> frozenset[int]:
    """Return the device numbers (st_dev) of what the system, evidence and state are on."""
    paths = settings.paths
    return frozenset(
        path.stat().st_dev
        for path in (*_SYSTEM, paths.evidence, paths.state)
        if os.access(path, os.F_OK)
    )
