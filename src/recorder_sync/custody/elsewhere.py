"""Holds the log against checkpoints that are kept outside its own folder.

Whoever has the station's key can rewrite the log and its checkpoints beside it, or put
both back from a backup; what another disk, a stick, a mail or a witness keeps does not
change with them. A log that is shorter than such a note says, or has another root at its
size, was rewritten, cut or put back, or there are two logs with one key.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from recorder_sync.custody.checkpoint import Checkpoint
from recorder_sync.custody.tree import HashTree
from recorder_sync.custody.unfit import reason
from recorder_sync.errors import CustodyProblem
from recorder_sync.language import T, Text


@dataclass(frozen=True, slots=True)
class NoteElsewhere:
    """A signed note of this log, and where it was found."""

    where: str
    note: str


def hold_against(
    notes: Iterable[NoteElsewhere],
    origin: str,
    opened: Callable[[str], Checkpoint],
    tree: HashTree,
) -> int:
    """Hold the log, whose hashes are all in the tree, against each note; return how many.

    `opened` returns a note's checkpoint, or raises ValueError where none of the station's
    keys that count for its size has signed it. Raises CustodyProblem at the first that does
    not fit, or OSError.
    """
    count = 0
    for kept in notes:
        try:
            checkpoint = opened(kept.note)
        except ValueError as error:
            raise _misfit(
                T(
                    "{where} is no checkpoint that this station has signed: {why}.",
                    where=kept.where,
                    why=reason(error),
                )
            ) from error
        if checkpoint.origin != origin:
            raise _misfit(T("{where} is a checkpoint of another log.", where=kept.where))
        if checkpoint.size > tree.size:
            raise _misfit(
                T(
                    "The custody log is shorter than the {more} entries that {where} vouches for: "
                    "entries were removed from its end, or an older copy was put back.",
                    where=kept.where,
                    more=checkpoint.size,
                )
            )
        if tree.root(checkpoint.size) != checkpoint.root:
            raise _misfit(
                T(
                    "The first {size} entries of the custody log are not those that {where} "
                    "vouches for: it was rewritten, or two logs have one key.",
                    size=checkpoint.size,
                    where=kept.where,
                )
            )
        count += 1
    return count


def _misfit(text: Text) -> CustodyProblem:
    return CustodyProblem(
        text,
        T(
            "Touch nothing: keep the state folder, the evidence disk and that note as they are, "
            "and compare the log with a backup. Nothing more is signed."
        ),
    )
