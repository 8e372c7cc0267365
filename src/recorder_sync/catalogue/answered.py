"""RECORDINGs as they are answered: the sealed description, and how the recording stands now.

The description itself is as it was sealed, and its text has a digest in the custody log. What
changes later (its stores, a legal hold, whether its file is here) stands only in answers.
"""

from collections.abc import Sequence

from sqlite_utils.db import Database

from recorder_sync.catalogue import brought_back, copies, holds
from recorder_sync.description import Json, as_json
from recorder_sync.model import Recording


def as_answered(db: Database, found: Sequence[Recording]) -> list[Json]:
    """Return these recordings for `--json`, in their order."""
    ids = [one.id for one in found]
    stores = copies.stores_json(db, ids)
    elsewhere = brought_back.not_here(db, ids)
    held = holds.holds_of(db, ids)
    return [
        {
            **as_json(one),
            "stores": stores[one.id],
            "here": one.id not in elsewhere,
            "legal_hold": held[one.id][0].as_json() if one.id in held else None,
        }
        for one in found
    ]
