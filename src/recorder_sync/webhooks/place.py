"""How far a webhook has been told: a small file of each, in the state folder.

The number of the next entry of the custody log is replaced on disk after each message that was
taken. A message that was taken just before a power cut is sent once more, with the same id.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from recorder_sync.durable import make_folders, replace_synced


@dataclass(frozen=True, slots=True)
class Standing:
    """How one webhook stands."""

    next: int
    """Number of the first entry that it was not told of."""
    failing_since: str | None = None
    """ISO 8601, UTC; None: the last message was taken."""
    why: str | None = None
    attempts: int = 0


def standing_of(state: Path, name: str) -> Standing | None:
    """Return how it stands; None: it was never told anything, or the file makes no sense."""
    try:
        found = json.loads(_file(state, name).read_text("utf-8"))
        return Standing(**found)
    except (FileNotFoundError, ValueError, TypeError):
        return None


def keep(state: Path, name: str, standing: Standing) -> None:
    """Keep how it stands. Raises OSError."""
    path = _file(state, name)
    make_folders(path.parent)
    found = {one: getattr(standing, one) for one in Standing.__slots__}
    replace_synced(path, json.dumps(found).encode())


def _file(state: Path, name: str) -> Path:
    return state / "webhooks" / f"{name}.json"
