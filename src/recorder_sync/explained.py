"""Whatever ended a piece of work that goes on without it, as an error of ours.

A thread that backs up, verifies or signs must not end unseen: what it meets is told as the
alert and the journal tell it, with text and hint, be it the disk's, the catalogue's or a
defect of the program.
"""

import sqlite3

from recorder_sync.catalogue.database import explain
from recorder_sync.errors import RecorderSyncError, defect, refused


def explained(error: Exception) -> RecorderSyncError:
    match error:
        case RecorderSyncError():
            return error
        case sqlite3.DatabaseError():
            return explain(error)
        case OSError():
            return refused(error)
    return RecorderSyncError(*defect(error))
