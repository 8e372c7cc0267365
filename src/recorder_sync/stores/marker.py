"""The marker: a small file by which a store is known again.

A store that was emptied, swapped or not mounted has no marker, or another one. Stations that
share a store share its marker: the first of them puts it there.
"""

import json
import re
import uuid

MARKER = ".recorder-sync-store"
"""Name of the marker, at the root of a store."""

LARGEST = 4096
"""Bytes that are read of a marker."""

_ID = re.compile(r"[0-9a-f]{32}")


def new_marker(station: str) -> bytes:
    """Return the content of a marker that no other store has, put there by this station."""
    facts = {"id": uuid.uuid4().hex, "station": station, "what": "recorder-sync evidence store"}
    return json.dumps(facts, sort_keys=True).encode() + b"\n"


def id_in(content: bytes) -> str | None:
    """Return the id that a marker holds; None: it is no marker."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return None
    number = found.get("id") if isinstance(found, dict) else None
    return number if isinstance(number, str) and _ID.fullmatch(number) else None
