"""What verification finds: one thing that is not as it was sealed, named in words."""

from dataclasses import dataclass
from enum import StrEnum

from recorder_sync.language import Text


class FindingKind(StrEnum):
    CHANGED = "changed"
    MISSING = "missing"
    EXTRA = "extra"
    UNREADABLE = "unreadable"
    UNPROTECTED = "unprotected"
    """It can be written to, or is not immutable any more."""
    DESCRIPTION_CHANGED = "description-changed"
    DESCRIPTION_MISSING = "description-missing"
    LIST_DIFFERS = "list-differs"
    NOT_IN_LOG = "not-in-log"
    NOT_IN_CATALOGUE = "not-in-catalogue"
    CATALOGUE_DIFFERS = "catalogue-differs"
    SCHEMA_DIFFERS = "schema-differs"
    """A table, index, trigger or view of the catalogue is not what the program makes."""
    CATALOGUE_DAMAGED = "catalogue-damaged"
    """An index or full-text table does not hold its rows, or pages are broken."""
    LOG_BROKEN = "log-broken"
    CHECKPOINT_DIFFERS = "checkpoint-differs"
    """The custody log is not the one that a checkpoint vouches for."""
    CHECKPOINT_MISSING = "checkpoint-missing"
    """A checkpoint that was kept in a place is not there any more."""
    TIMESTAMP_DIFFERS = "timestamp-differs"
    """A time stamp that is kept does not vouch for a checkpoint."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the catalogue, and where it differs from what the custody log makes of it."""

    table: str
    key: str
    column: str | None = None
    """None: the row as a whole is there or not there."""
    catalogue: str | None = None
    log: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    kind: FindingKind
    path: str
    """Below the evidence folder; of the log and the catalogue, their names."""
    text: Text
    recording: str | None = None
    row: Row | None = None
