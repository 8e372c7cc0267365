"""What a finding means, and what to do about it, in words for whoever reads of one."""

from recorder_sync.inspection.findings import FindingKind
from recorder_sync.language import T, Text

_KEEP = T("Touch nothing. Compare the file with a copy: of a store, a backup or an export.")
_LOG = T("Keep the folder as it is and compare it with a backup or a forwarded copy.")
_REBUILD = T(
    "The evidence is not affected. Make the catalogue anew: recorder-sync catalogue rebuild"
)

_ADVICE: dict[FindingKind, tuple[Text, Text]] = {
    FindingKind.CHANGED: (T("The content is not what was sealed."), _KEEP),
    FindingKind.MISSING: (T("The file is gone."), _KEEP),
    FindingKind.EXTRA: (
        T("A file lies in the evidence folder that was never sealed."),
        T("Find out who put it there; move it away once that is noted."),
    ),
    FindingKind.UNREADABLE: (
        T("The disk does not give the file back."),
        T("Check the disk at once, and fetch the recording from a store or backup."),
    ),
    FindingKind.UNPROTECTED: (
        T("The file can be written to, or is not immutable any more."),
        T("Find out who took the protection away; it is set again at the next start."),
    ),
    FindingKind.DESCRIPTION_CHANGED: (T("The description beside it was changed."), _KEEP),
    FindingKind.DESCRIPTION_MISSING: (T("The description beside it is gone."), _KEEP),
    FindingKind.LIST_DIFFERS: (
        T("A list of digests is not what the custody log makes of it."),
        T("The custody log counts. Note who may write in the folder."),
    ),
    FindingKind.NOT_IN_LOG: (
        T("The catalogue has a recording that the custody log does not know."),
        T("Somebody wrote into the catalogue. Keep a copy of it and tell the inspector."),
    ),
    FindingKind.NOT_IN_CATALOGUE: (
        T("The catalogue lacks a recording that was sealed."),
        _REBUILD,
    ),
    FindingKind.CATALOGUE_DIFFERS: (
        T("A row of the catalogue is not what the custody log makes of it."),
        _REBUILD,
    ),
    FindingKind.SCHEMA_DIFFERS: (
        T("A table or trigger of the catalogue is not the program's."),
        _REBUILD,
    ),
    FindingKind.CATALOGUE_DAMAGED: (T("The catalogue's file is damaged."), _REBUILD),
    FindingKind.LOG_BROKEN: (T("The custody log is not whole."), _LOG),
    FindingKind.CHECKPOINT_DIFFERS: (
        T("The custody log is not the one that a checkpoint vouches for."),
        _LOG,
    ),
    FindingKind.CHECKPOINT_MISSING: (
        T("A checkpoint that was kept in a place is not there any more."),
        T("Look at the stick or disk that it was kept on."),
    ),
    FindingKind.TIMESTAMP_DIFFERS: (
        T("A time stamp does not vouch for its checkpoint."),
        T("Keep both files, and have the checkpoint time-stamped anew."),
    ),
}


def advice(kind: FindingKind) -> tuple[Text, Text]:
    """Return what a finding of this kind means, and what to do."""
    return _ADVICE[kind]
