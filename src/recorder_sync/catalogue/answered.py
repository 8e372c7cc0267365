"""RECORDINGs as they are answered: the sealed description, and how the recording stands now.

The description itself is as it was sealed, and its text has a digest in the custody log. What
changes later (its stores, a legal hold, whether its file is here) stands only in answers.
"""

from collections.abc import Sequence

from sqlite_utils.db import Database

from recorder_sync.catalogue import brought_back, copies, holds
from recorder_sync.description import Json
from recorder_sync.model import Recording


def how_they_stand(db: Database, found: Sequence[Recording]) -> dict[str, Json]:
    """Return what is answered of these recordings beside their descriptions, by their ids."""
    ids = [one.id for one in found]
    stores = copies.stores_json(db, ids)
    elsewhere = brought_back.not_here(db, ids)
    held = holds.holds_of(db, ids)
    return {
        one: {
            "stores": stores[one],
            "here": one not in elsewhere,
            "legal_hold": held[one][0].as_json() if one in held else None,
        }
        for one in ids
    }
