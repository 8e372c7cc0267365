"""All that a catalogue holds, to compare two of them: every table, every column.

Tables are found in the database itself, so one that is added later is compared without a
word here. What may differ is named below, each with its reason.
"""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

Rows = list[dict[str, Any]]

MAY_DIFFER = {
    ("cases", "key"): "counts up in the order of entering; only the full-text index uses it",
    ("inventory", "number"): "counts up in the order of entering; nothing refers to it",
}
NOT_COMPARED = {
    "_sqlite_migrations": "when this file was made, not what is in it",
    "sqlite_stat1": "SQLite's own notes",
    "sqlite_sequence": "SQLite's own notes",
}
REMEMBERED = {
    *("alerts_told", "messages", "channels", "watch_state", "disk_samples"),
    *(
        "clock_steps",
        "measured",
        "news",
        "day_figures",
        "day_figures_basis",
        "stale_hours",
        "stale_days",
        "documents_under_way",
        "period_figures",
        "stale_periods",
    ),
}
"""What a machine remembers of its watching; the custody log has nothing of it in this form."""
IN_JSON = {("descriptions", "json")}
"""Texts whose order and spaces mean nothing."""


def whole(path: Path) -> dict[str, Rows]:
    """Return every row of every table of the catalogue in `path`, sorted."""
    with closing(sqlite3.connect(path)) as db:
        db.row_factory = sqlite3.Row
        names = [
            row[0] for row in db.execute("select name from sqlite_schema where type = 'table'")
        ]
        indexes = [name for name in names if name.endswith("_fts")]
        # A full-text index is made by triggers from its table; SQLite itself compares the two.
        for index in indexes:
            db.execute(f"insert into {index} ({index}, rank) values ('integrity-check', 1)")
        db.rollback()
        return {
            name: sorted((_row(name, row) for row in db.execute(f"select * from {name}")), key=repr)
            for name in names
            if name not in {*NOT_COMPARED, *REMEMBERED}
            and not any(name == index or name.startswith(f"{index}_") for index in indexes)
        }


def _row(table: str, row: sqlite3.Row) -> dict[str, Any]:
    return {
        column: json.loads(row[column]) if (table, column) in IN_JSON else row[column]
        for column in row.keys()  # noqa: SIM118 - a Row is a sequence of values
        if (table, column) not in MAY_DIFFER
    }
