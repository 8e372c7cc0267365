"""Notes when something was last used, where that can be written.

On a full disk the pages that say so must still open: a use that could not be noted is a line in
the journal, and a session that is not noted as used ends the sooner.
"""

import sqlite3
from collections.abc import Sequence

from sqlite_utils.db import Database

from recorder_sync.journal import Log

_log = Log()


def note_use(db: Database, sql: str, values: Sequence[str]) -> None:
    """Write the note by one statement."""
    try:
        with db.conn:
            db.execute(sql, values)
    except sqlite3.OperationalError as error:
        _log.warning("what was used last cannot be noted", why=str(error))
