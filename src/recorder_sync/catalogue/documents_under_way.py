"""In which folders of the incoming area documents are under way, as every intake has to know.

`documents.py` has what they are, which an intake of a card need not know.
"""

from sqlite_utils.db import Database


def folders_under_way(db: Database) -> set[str]:
    """Return the names of the folders that hold a copy about to be moved into its place."""
    return {folder_of(part) for (part,) in db.execute("select part from documents_under_way")}


def folder_of(part: str) -> str:
    """Return the name of the folder of a copy, by its path below the evidence folder."""
    return part.split("/")[1]
