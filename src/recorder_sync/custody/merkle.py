"""The Merkle tree of RFC 6962 over the custody log: roots and proofs, without I/O.

Hashes are SHA-256, as bytes. A complete subtree has 2**level leaves and begins at a leaf
whose number is a multiple of that; `Nodes` looks its hash up. Everything here asks for
O(log n) of them, twice over for a proof.
"""

import hashlib
from collections.abc import Callable, Sequence

Nodes = Callable[[int, int], bytes]
"""Return the hash of the complete subtree at (level, number within the level)."""


def leaf(entry: bytes) -> bytes:
    """Return the hash of an entry's line, without its newline (2.1)."""
    return hashlib.sha256(b"\0" + entry).digest()


def node(left: bytes, right: bytes) -> bytes:
    """Return the hash of two subtrees side by side (2.1)."""
    return hashlib.sha256(b"\1" + left + right).digest()


def root(size: int, nodes: Nodes) -> bytes:
    """Return the hash of the tree of the first `size` entries (2.1)."""
    return _range(0, size, nodes) if size else hashlib.sha256().digest()


def inclusion(number: int, size: int, nodes: Nodes) -> list[bytes]:
    """Return the audit path of entry `number` in the tree of `size` entries (2.1.1).

    Raises ValueError when there is no such entry in it.
    """
    if not 0 <= number < size:
        raise ValueError(f"a tree of {size} entries has no entry {number}")
    return _path(number, 0, size, nodes)


def consistency(old: int, new: int, nodes: Nodes) -> list[bytes]:
    """Return the proof that the tree of `new` entries begins with that of `old` (2.1.2).

    Raises ValueError when `old` is not between 1 and `new`.
    """
    if not 1 <= old <= new:
        raise ValueError(f"nothing proves {old} entries to be the first of {new}")
    return _subproof(old, 0, new, nodes, known=True)


def includes(root_: bytes, size: int, number: int, leaf_: bytes, path: Sequence[bytes]) -> bool:
    """Tell whether a leaf is entry `number` of the tree with this root (RFC 9162, 2.1.3.2)."""
    if not 0 <= number < size:
        return False
    at, last, found = number, size - 1, leaf_
    for other in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node(other, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node(found, other)
        at, last = at >> 1, last >> 1
    return last == 0 and found == root_


def extends(old_root: bytes, old: int, new_root: bytes, new: int, proof: Sequence[bytes]) -> bool:
    """Tell whether the new tree begins with the old one (RFC 9162, 2.1.4.2)."""
    if not 1 <= old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    hashes = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not hashes:
        return False
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    first = second = hashes[0]
    for other in hashes[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            first, second = node(other, first), node(other, second)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            second = node(second, other)
        at, last = at >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root


def _split(count: int) -> int:
    """Return the largest power of two below `count`."""
    return 1 << (count - 1).bit_length() - 1


def _range(first: int, end: int, nodes: Nodes) -> bytes:
    count = end - first
    if count & (count - 1) == 0:
        return nodes(count.bit_length() - 1, first // count)
    middle = first + _split(count)
    return node(_range(first, middle, nodes), _range(middle, end, nodes))


def _path(number: int, first: int, end: int, nodes: Nodes) -> list[bytes]:
    if end - first == 1:
        return []
    middle = first + _split(end - first)
    if number < middle:
        return [*_path(number, first, middle, nodes), _range(middle, end, nodes)]
    return [*_path(number, middle, end, nodes), _range(first, middle, nodes)]


def _subproof(old: int, first: int, end: int, nodes: Nodes, *, known: bool) -> list[bytes]:
    """Prove that the entries up to `old` begin the entries from `first` to `end`."""
    if old == end:
        return [] if known else [_range(first, end, nodes)]
    middle = first + _split(end - first)
    if old <= middle:
        proof = _subproof(old, first, middle, nodes, known=known)
        return [*proof, _range(middle, end, nodes)]
    proof = _subproof(old, middle, end, nodes, known=False)
    return [*proof, _range(first, middle, nodes)]
