"""One file that proves one entry: what it says, where it stands, and who vouches for that."""

import hashlib
import json
from typing import Any

from recorder_sync.custody import merkle
from recorder_sync.custody.checkpoint import Verifier
from recorder_sync.custody.checkpoints import Checkpoints, Signed
from recorder_sync.custody.log import CustodyLog
from recorder_sync.custody.problem import unreliable
from recorder_sync.custody.trust import encoded, inclusion, is_under, rotations_under, vouched
from recorder_sync.custody.unfit import Unfit
from recorder_sync.errors import NotFound
from recorder_sync.language import T, Text

FORMAT = "recorder-sync-proof-1"

DIGESTS = ("blake3", "sha256", "sm3", "size")
"""What a proof repeats of the recording or document as it was sealed."""


def prove(log: CustodyLog, checkpoints: Checkpoints, signed: Signed, number: int) -> dict[str, Any]:
    """Return the proof of entry `number` under a checkpoint of the log.

    Raises NotFound, CustodyProblem, MissingPart or OSError.
    """
    size = signed.checkpoint.size
    if not 0 <= number < size:
        raise NotFound(
            T("The custody log has no entry {number}.", number=number),
            T("It has {size} entries, from 0.", size=size),
        )
    _, line = next(log.lines(number))
    path = inclusion(checkpoints, number, size)
    root = signed.checkpoint.root
    if not merkle.includes(root, size, number, merkle.leaf(line), path):
        raise unreliable(
            T(
                "The hashes of the custody log do not lead from entry {number} to the checkpoint "
                "of {size} entries.",
                number=number,
                size=size,
            )
        )
    return {
        "format": FORMAT,
        "entry": line.decode(),
        "number": number,
        "path": encoded(path),
        "checkpoint": signed.note,
        "rotations": rotations_under(checkpoints, size),
        "verifier": str(checkpoints.verifier()),
    }


def holds(proof: dict[str, Any], verifier: Verifier) -> bool:
    """Tell whether a proof proves its entry, to somebody who trusts this verifier key.

    Raises ValueError for what is no proof.
    """
    return problem_of(proof, verifier) is None


def problem_of(proof: dict[str, Any], verifier: Verifier) -> Text | None:
    """Return why a proof does not hold; None when it does.

    Raises ValueError for what is no proof, or has no signature that counts.
    """
    try:
        checkpoint = vouched(proof["checkpoint"], proof.get("rotations", []), verifier).checkpoint
        entry = json.loads(proof["entry"])
        if entry["seq"] != proof["number"] or not is_under(checkpoint, proof):
            return T("the entry is not in the log under this checkpoint")
        return _problem_of_sealed(proof, entry["facts"])
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Unfit(T("it is no proof: {why}", why=repr(error))) from None


def _problem_of_sealed(proof: dict[str, Any], facts: dict[str, Any]) -> Text | None:
    """Hold what a proof repeats of the recording or document against the entry's facts."""
    description, digests = proof.get("description"), proof.get("digests")
    if description is not None:
        found = hashlib.sha256(description.encode()).hexdigest()
        if found != facts["description_sha256"]:
            return T("the description is not what was sealed")
    if digests is not None:
        sealed = facts["recording"] if "recording" in facts else facts["document"]
        if digests == {name: sealed[name] for name in DIGESTS}:
            return None
        return T("the digests are not what was sealed")
    return None
