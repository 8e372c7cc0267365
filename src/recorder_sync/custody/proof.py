"""One file that proves one entry: what it says, where it stands, and who vouches for that."""

import base64
import json
from typing import Any

from recorder_sync.custody import merkle
from recorder_sync.custody.checkpoint import Verifier, opened
from recorder_sync.custody.checkpoints import Checkpoints
from recorder_sync.custody.log import CustodyLog
from recorder_sync.errors import NotFound
from recorder_sync.language import T

FORMAT = "recorder-sync-proof-1"


def prove(log: CustodyLog, checkpoints: Checkpoints, number: int) -> dict[str, Any]:
    """Return the proof of entry `number` under a checkpoint made now.

    Raises NotFound, CustodyProblem or MissingPart.
    """
    signed = checkpoints.make()
    size = signed.checkpoint.size
    if not 0 <= number < size:
        raise NotFound(
            T("The custody log has no entry {number}.", number=number),
            T("It has {size} entries, from 0.", size=size),
        )
    _, line = next(log.lines(number))
    path = merkle.inclusion(number, size, checkpoints.tree.node)
    return {
        "format": FORMAT,
        "entry": line.decode(),
        "number": number,
        "path": [base64.b64encode(one).decode() for one in path],
        "checkpoint": signed.note,
        "verifier": str(checkpoints.verifier()),
    }


def holds(proof: dict[str, Any], verifier: Verifier) -> bool:
    """Tell whether a proof proves its entry, to somebody who trusts this verifier key.

    Raises ValueError for what is no proof.
    """
    try:
        checkpoint = opened(proof["checkpoint"], [verifier])
        path = [base64.b64decode(one, validate=True) for one in proof["path"]]
        leaf = merkle.leaf(proof["entry"].encode())
        number = proof["number"]
        is_that_entry = json.loads(proof["entry"])["seq"] == number
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"it is no proof: {error!r}") from None
    return is_that_entry and merkle.includes(checkpoint.root, checkpoint.size, number, leaf, path)
