"""Where a card is plugged in: its disk, and the ports that share a line with it.

sysfs tells (https://docs.kernel.org/admin-guide/sysfs-rules.html): the path of a USB disk
leads from the computer's controller through every hub to the disk. What is no disk of its
own, such as a folder, counts as the disk it lies on.
"""

import os
import re
from pathlib import Path

from recorder_sync.ingest.turns import Berth

_USB_PORT = re.compile(r"[0-9]+-[0-9]+(\.[0-9]+)*")


def berth_of(device: int, sysfs: Path = Path("/sys")) -> Berth:
    """Return where the disk with this device number (st_dev) is plugged in."""
    number = f"{os.major(device)}:{os.minor(device)}"
    link = sysfs / "dev" / "block" / number
    if not link.exists():  # a network or user file system: no disk of this machine
        return Berth(number, None)
    path = link.resolve()
    disk = path.parent if (path / "partition").exists() else path
    ports = [part for part in disk.parts if _USB_PORT.fullmatch(part)]
    return Berth(disk.name, ports[-1].rpartition(".")[0] or _root_hub(ports[-1]) if ports else None)


def _root_hub(port: str) -> str:
    """Return the bus of a port that is the computer's own, not a hub's."""
    return port.partition("-")[0]
