"""Finds the independent check, the one file that goes along with every copy.

It is no module of ours: it is handed to people who run it without this program. An
installation has it under `share/recorder-sync`, the sources under `tools`.
"""

import sys
from pathlib import Path

NAME = "verify_evidence.py"

_PLACES = (
    Path(__file__).parents[3] / "tools" / NAME,
    Path(sys.prefix) / "share" / "recorder-sync" / NAME,
)


def independent_check() -> bytes:
    """Return the file's content. Raises OSError."""
    return next((place for place in _PLACES if place.is_file()), _PLACES[-1]).read_bytes()
