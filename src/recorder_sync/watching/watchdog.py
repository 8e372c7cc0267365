"""Which services hung and were started anew by systemd's watchdog.

systemd knows it when it ends a service: the units' `ExecStopPost=` adds a line to a file in
the state folder when `$SERVICE_RESULT` is `watchdog` (systemd.exec(5)). Without systemd, and
where `paths.state` is not the units' state folder, nobody writes it and nothing is known.
"""

from pathlib import Path

from recorder_sync.rules.station_matters import Restart
from recorder_sync.timestamps import moment

FILE_NAME = "watchdog"
_MOST = 64 << 10
"""Bytes of the end that are read."""


def restarts(state: Path) -> tuple[Restart, ...]:
    """Return the restarts on record, the oldest first. Raises OSError."""
    try:
        with (state / FILE_NAME).open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - _MOST))
            text = file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ()
    return tuple(found for line in text.splitlines() if (found := _restart(line)) is not None)


def _restart(line: str) -> Restart | None:
    """Read one line; one that a power cut tore says nothing."""
    service, _, at = line.strip().partition(" ")
    try:
        return Restart(service, moment(at)) if service and at.endswith("Z") else None
    except ValueError:
        return None
