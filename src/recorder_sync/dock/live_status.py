"""The live status of the dock as its readers see it: on a terminal, and on the dock screen.

The daemon replaces the file atomically (`board.py`), some times a second while something
moves and every few seconds otherwise. No file, or one whose writer is gone, says that no
daemon runs; one that is not replaced any more says that it hangs. Then nothing that it shows
may be relied on.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recorder_sync.errors import MissingPart
from recorder_sync.language import T
from recorder_sync.rules.docking import Stay

FILE_NAME = "status.json"

STALE_S = 15.0
"""Seconds without a new status after which the daemon is not to be relied on."""

SAFE = frozenset({Stay.SAFE, Stay.SAFE_WITH_PROBLEMS})

Status = dict[str, Any]


def read_status(runtime: Path) -> Status | None:
    """Return the daemon's live status, or None when no daemon runs.

    Raises MissingPart where the file may not be read.
    """
    path = runtime / FILE_NAME
    try:
        found: Status = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except PermissionError:
        raise MissingPart(
            T("The live status {path} may not be read.", path=path),
            T("Run the command as root, or as a member of the group recorder-sync."),
        ) from None
    return found if Path(f"/proc/{found['pid']}").exists() else None


def has_more_to_read(port: Mapping[str, Any]) -> bool:
    """Tell whether this card is in, but another one of the same device is not."""
    return Stay(port["state"]) in SAFE and not port["safe_to_take"]
