"""One file that proves that the log only grew from one checkpoint to a later one.

Whoever kept the old checkpoint, on a USB stick or in a mail, sees that nothing before it was
changed, without being given the log.
"""

from typing import Any

from recorder_sync.custody import merkle
from recorder_sync.custody.checkpoint import Verifier
from recorder_sync.custody.checkpoints import Checkpoints, Signed
from recorder_sync.custody.trust import decoded, encoded, rotations_under, vouched
from recorder_sync.custody.unfit import Unfit
from recorder_sync.errors import UsageProblem
from recorder_sync.language import T

FORMAT = "recorder-sync-consistency-1"


def prove_consistency(checkpoints: Checkpoints, old: Signed, new: Signed) -> dict[str, Any]:
    """Return the proof that the log of the new checkpoint begins with that of the old.

    Raises UsageProblem for checkpoints in the wrong order, CustodyProblem when the log is not
    what they vouch for, MissingPart or OSError.
    """
    before, after = old.checkpoint.size, new.checkpoint.size
    if not 1 <= before <= after:
        raise UsageProblem(
            T(
                "Nothing can prove that {old} entries are the first of {new}.",
                old=before,
                new=after,
            ),
            T("Name the older checkpoint first."),
        )
    for signed in (old, new):
        checkpoints.confirm(signed.checkpoint)
    proof = checkpoints.read_hashes(lambda tree: merkle.consistency(before, after, tree.node))
    return {
        "format": FORMAT,
        "old": old.note,
        "new": new.note,
        "proof": encoded(proof),
        "rotations": rotations_under(checkpoints, after),
        "verifier": str(checkpoints.verifier()),
    }


def is_consistent(document: dict[str, Any], verifier: Verifier) -> bool:
    """Tell whether the new checkpoint's log begins with the old one's.

    To somebody who trusts this verifier key. Raises ValueError for what is no such file, or
    has no signatures that count.
    """
    try:
        new = vouched(document["new"], document.get("rotations", []), verifier)
        old = new.keys.opened(document["old"])
        proof = decoded(document["proof"])
    except (KeyError, TypeError, AttributeError) as error:
        raise Unfit(T("it is no proof of consistency: {why}", why=repr(error))) from None
    after = new.checkpoint
    return old.origin == after.origin and merkle.extends(
        old.root, old.size, after.root, after.size, proof
    )
