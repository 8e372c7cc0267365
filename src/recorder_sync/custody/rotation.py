"""Which key vouches for the log at which size: the rule, without I/O.

A station changes its key by an entry that both keys sign. From that entry on the new key
counts: a checkpoint that holds more than the entry itself needs its signature, and the old
key, be it leaked or not, vouches for nothing any more. Whoever trusts one of the keys
follows the entries to the others, forward and backward.

What this cannot do: somebody who knows an old key only, and was never shown the entry,
cannot know that the key was given up. The new verifier key has to be handed out.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from recorder_sync.custody.checkpoint import Checkpoint, Signer, Verifier, claimed, opened
from recorder_sync.custody.unfit import Unfit
from recorder_sync.language import T

ACT = "key-rotated"


@dataclass(frozen=True, slots=True)
class Rotation:
    """One change of the key."""

    number: int
    """Of the entry that says so."""
    old: Verifier
    new: Verifier


@dataclass(frozen=True, slots=True)
class Succession:
    """The keys of one log, from its first on. Made by `succession`."""

    first: Verifier
    rotations: tuple[Rotation, ...]

    @property
    def verifiers(self) -> list[Verifier]:
        """All of them, the oldest first."""
        return [self.first, *(rotation.new for rotation in self.rotations)]

    @property
    def newest(self) -> Verifier:
        return self.verifiers[-1]

    def before(self, size: int) -> "Succession":
        """Return the keys as the first `size` entries tell of them."""
        known = tuple(r for r in self.rotations if r.number < size)
        return Succession(self.first, known)

    def since(self, trusted: Verifier) -> "Succession":
        """Return the keys from this one on. Raises Unfit when it is none of them.

        To somebody who trusts it, an older key alone vouches for nothing: it may be what was
        given up because it leaked.
        """
        if trusted not in self.verifiers:
            raise Unfit(T("the trusted key is not one of those that lead to this log"))
        return Succession(trusted, self.rotations[self.verifiers.index(trusted) :])

    def vouching_at(self, size: int) -> list[Verifier]:
        """Return whose signature counts for a checkpoint of this size: any of them.

        These are two where the entry that changed the key is the checkpoint's last.
        """
        known = self.before(size).rotations
        if not known:
            return [self.first]
        if known[-1].number + 1 == size:
            return [known[-1].old, known[-1].new]
        return [known[-1].new]

    def opened(self, note: str) -> Checkpoint:
        """Return the checkpoint of a note that the right key vouches for. Raises Unfit."""
        found = claimed(note)
        needed = self.vouching_at(found.size)
        try:
            return opened(note, needed)
        except ValueError:
            others = [one for one in self.verifiers if one not in needed]
            if any(_is_signed_by(note, one) for one in others):
                raise Unfit(T("it is signed with a key that does not count for its size")) from None
            raise


def succession(first: Verifier, rotations: Sequence[Rotation]) -> Succession:
    """Return the keys that follow `first`; each rotation is to begin where the last ended.

    Raises Unfit.
    """
    known = Succession(first, tuple(rotations))
    numbers = [rotation.number for rotation in rotations]
    if any(before >= after for before, after in pairwise(numbers)):
        raise Unfit(T("the rotations are not in order"))
    for key, rotation in zip(known.verifiers, rotations, strict=False):
        if rotation.old != key:
            raise Unfit(
                T(
                    "entry {number} takes over from a key that was not in use",
                    number=rotation.number,
                )
            )
    if len(set(known.verifiers)) != len(known.verifiers):
        raise Unfit(T("a key that was given up is taken up again"))
    return known


def rotation_text(old: Verifier, new: Verifier) -> str:
    """Return what both keys sign."""
    return f"recorder-sync key rotation\n{old.name}\n{old}\n{new}\n"


def rotation_facts(old: Signer, new: Signer) -> dict[str, str]:
    """Return what the entry holds."""
    text = rotation_text(old.verifier, new.verifier)
    return {
        "old": str(old.verifier),
        "new": str(new.verifier),
        "old_signature": base64.b64encode(old.sign(text)).decode(),
        "new_signature": base64.b64encode(new.sign(text)).decode(),
    }


def rotation_in(line: bytes) -> Rotation:
    """Return the rotation that an entry's line holds, its signatures checked.

    Raises Unfit.
    """
    try:
        fields: Mapping[str, Any] = json.loads(line)
        number, act, subject, facts = (fields[n] for n in ("seq", "act", "subject", "facts"))
        old, new = Verifier.parse(facts["old"]), Verifier.parse(facts["new"])
        signatures = [
            (key, base64.b64decode(facts[name], validate=True))
            for key, name in ((old, "old_signature"), (new, "new_signature"))
        ]
    except Unfit:
        raise
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise Unfit(T("it is no rotation of a key: {why}", why=repr(error))) from None
    if act != ACT or type(number) is not int:
        raise Unfit(T("it is no rotation of a key"))
    if not old.name == new.name == subject:
        raise Unfit(T("entry {number} rotates the key of another log", number=number))
    text = rotation_text(old, new)
    if not all(key.vouches_for(text, signature) for key, signature in signatures):
        raise Unfit(T("a signature of the rotation in entry {number} is false", number=number))
    return Rotation(number, old, new)


def _is_signed_by(note: str, verifier: Verifier) -> bool:
    try:
        opened(note, [verifier])
    except ValueError:
        return False
    return True
