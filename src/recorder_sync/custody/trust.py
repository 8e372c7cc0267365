"""A checkpoint from outside, to somebody who trusts one key: does it count?

A proof or consistency file brings the rotations of the station's key along, each with its
audit path under the file's newest checkpoint. So a key of long ago, or of today, leads to
the key that vouches for the checkpoint. Without rotations the trusted key itself has to
have signed.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from recorder_sync.custody import merkle
from recorder_sync.custody.checkpoint import Checkpoint, Verifier
from recorder_sync.custody.checkpoints import Checkpoints
from recorder_sync.custody.rotation import Succession, rotation_in, succession
from recorder_sync.custody.unfit import Unfit
from recorder_sync.language import T


@dataclass(frozen=True, slots=True)
class Vouched:
    """A checkpoint that a trusted key leads to, and the keys on the way."""

    checkpoint: Checkpoint
    keys: Succession


def rotations_under(checkpoints: Checkpoints, size: int) -> list[dict[str, Any]]:
    """Return the rotations among the first `size` entries, each with its audit path.

    Raises CustodyProblem, MissingPart or OSError.
    """
    found = []
    for line in checkpoints.rotation_lines(size):
        number = rotation_in(line).number
        path = inclusion(checkpoints, number, size)
        found.append({"entry": line.decode(), "number": number, "path": encoded(path)})
    return found


def inclusion(checkpoints: Checkpoints, number: int, size: int) -> list[bytes]:
    """Return the audit path of an entry under a checkpoint of so many.

    Raises CustodyProblem, MissingPart or OSError.
    """
    return checkpoints.read_hashes(lambda tree: merkle.inclusion(number, size, tree.node))


def vouched(note: str, rotations: list[dict[str, Any]], trusted: Verifier) -> Vouched:
    """Return the checkpoint of a note, to somebody who trusts this key.

    Raises ValueError, saying why not, and KeyError or TypeError for what is no rotation.
    """
    steps = [rotation_in(one["entry"].encode()) for one in rotations]
    keys = succession(steps[0].old if steps else trusted, steps)
    checkpoint = keys.since(trusted).opened(note)
    if checkpoint.origin != trusted.name:
        raise Unfit(T("the checkpoint is of another log than the trusted key"))
    for one, step in zip(rotations, steps, strict=True):
        if step.number != one["number"] or not is_under(checkpoint, one):
            raise Unfit(T("the rotation in entry {number} is not in the log", number=step.number))
    return Vouched(checkpoint, keys)


def vouched_by_any(
    note: str, rotations: list[dict[str, Any]], trusted: Sequence[Verifier]
) -> Vouched:
    """Return the checkpoint of a note, to somebody who trusts each of these keys.

    Raises as `vouched`, also where there is no key.
    """
    why: ValueError = Unfit(T("nobody who is known has signed it"))
    for key in reversed(trusted):
        try:
            found = vouched(note, rotations, key)
            return Vouched(found.checkpoint, found.keys.since(key))
        except ValueError as error:
            why = error
    raise why


def is_under(checkpoint: Checkpoint, proven: dict[str, Any]) -> bool:
    """Tell whether an entry with number and path is in the log under this checkpoint.

    Raises KeyError, TypeError or ValueError for what has no such form.
    """
    leaf = merkle.leaf(proven["entry"].encode())
    path = decoded(proven["path"])
    return merkle.includes(checkpoint.root, checkpoint.size, proven["number"], leaf, path)


def encoded(hashes: list[bytes]) -> list[str]:
    return [base64.b64encode(one).decode() for one in hashes]


def decoded(hashes: list[str]) -> list[bytes]:
    """Return what `encoded` was given. Raises ValueError or TypeError."""
    try:
        return [base64.b64decode(one, validate=True) for one in hashes]
    except ValueError as error:
        raise Unfit(T("a hash of it cannot be read: {why}", why=error)) from None
