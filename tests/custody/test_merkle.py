"""Art. 5: proofs over the custody log are those of RFC 6962, and nothing else passes."""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.custody import merkle
from recorder_sync.custody.merkle import Nodes, consistency, extends, includes, inclusion, root

_SIZES = st.integers(1, 70)

# Test vectors of the reference implementation of RFC 6962 (trillian, certificate-transparency).
_LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def naive(leaves: Sequence[bytes]) -> bytes:
    """The definition of RFC 6962, 2.1, word by word."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    left, right = naive(leaves[:half]), naive(leaves[half:])
    return hashlib.sha256(b"\1" + left + right).digest()


def entries(count: int) -> list[bytes]:
    return [str(number).encode() for number in range(count)]


def nodes_of(leaves: Sequence[bytes]) -> Nodes:
    return lambda level, number: naive(leaves[number << level : (number + 1) << level])


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_the_reference_implementation(size: int) -> None:
    assert root(size, nodes_of(_LEAVES)).hex() == _ROOTS[size - 1]


@given(_SIZES)
def test_a_root_is_what_the_definition_says(size: int) -> None:
    leaves = entries(size)
    assert root(size, nodes_of(leaves)) == naive(leaves)


@given(_SIZES, st.data())
def test_every_entry_is_proven_to_be_in_the_tree_and_no_other(
    size: int, data: st.DataObject
) -> None:
    leaves = entries(size)
    nodes = nodes_of(leaves)
    number = data.draw(st.integers(0, size - 1))
    path = inclusion(number, size, nodes)
    whole = root(size, nodes)
    assert includes(whole, size, number, merkle.leaf(leaves[number]), path)
    assert not includes(whole, size, number, merkle.leaf(b"another"), path)
    other = data.draw(st.integers(0, size + 1))
    if other != number:
        assert not includes(whole, size, other, merkle.leaf(leaves[number]), path)


@given(_SIZES, st.data())
def test_a_longer_log_is_proven_to_begin_with_the_shorter_and_a_forged_one_is_not(
    new: int, data: st.DataObject
) -> None:
    old = data.draw(st.integers(1, new))
    leaves = entries(new)
    nodes = nodes_of(leaves)
    proof = consistency(old, new, nodes)
    before, after = root(old, nodes), root(new, nodes)
    assert extends(before, old, after, new, proof)
    changed = data.draw(st.integers(0, old - 1))
    forged = [*leaves[:changed], b"forged", *leaves[changed + 1 :]]
    their_nodes = nodes_of(forged)
    their_proof = consistency(old, new, their_nodes)
    assert not extends(before, old, root(new, their_nodes), new, their_proof)
    assert not extends(before, old, root(new, their_nodes), new, proof)


@given(_SIZES, st.data())
def test_a_proof_with_a_hash_changed_missing_or_added_proves_nothing(
    new: int, data: st.DataObject
) -> None:
    old = data.draw(st.integers(1, new))
    nodes = nodes_of(entries(new))
    proof = consistency(old, new, nodes)
    before, after = root(old, nodes), root(new, nodes)
    assert not extends(before, old, after, new, [*proof, bytes(32)])
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        assert not extends(before, old, after, new, [*proof[:at], bytes(32), *proof[at + 1 :]])
        assert not extends(before, old, after, new, proof[:at] + proof[at + 1 :])


def test_what_cannot_be_proven_is_refused() -> None:
    nodes = nodes_of(entries(3))
    with pytest.raises(ValueError, match="no entry 3"):
        inclusion(3, 3, nodes)
    with pytest.raises(ValueError, match="nothing proves"):
        consistency(4, 3, nodes)


@given(st.integers(1, 10**12), st.data())
def test_a_proof_of_a_long_log_is_short_and_asks_for_few_hashes(
    size: int, data: st.DataObject
) -> None:
    number = data.draw(st.integers(0, size - 1))
    asked: list[tuple[int, int]] = []

    def nodes(level: int, number: int) -> bytes:
        asked.append((level, number))
        return bytes(32)

    most = 2 * size.bit_length()
    assert len(inclusion(number, size, nodes)) <= size.bit_length()
    assert len(asked) <= most
    asked.clear()
    assert len(consistency(number + 1, size, nodes)) <= size.bit_length() + 1
    assert len(asked) <= most
