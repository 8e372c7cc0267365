"""What the check computes by hand is held against other implementations and published vectors."""

import base64
import hashlib
import json
import struct

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.custody import merkle
from tests.any_json import VALUES
from tests.independent import forging
from tools import verify_evidence as tool

VECTORS = {
    "empty": (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        b"",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e3970"
            "1cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    "one byte": (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        b"\x72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613"
            "d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    "two bytes": (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        b"\xaf\x82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760"
            "984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
    "SHA(abc)": (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        hashlib.sha512(b"abc").digest(),
        (
            "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c6"
            "6431e0303dca179c138ac17ad9bef1177331a704"
        ),
    ),
}
"""RFC 8032, 7.1."""

SMALL_ORDER = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
]
"""All eight points whose order divides the cofactor."""

CHECKS = pytest.mark.parametrize("check", [tool.signed_by_hand, tool.signed_by_library])


@pytest.fixture(params=["alone", "with library"])
def alone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "alone":
        monkeypatch.setattr(tool, "Ed25519PublicKey", None)


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("vector", VECTORS)
def test_published_signatures_hold_and_any_bit_changed_does_not(vector: str) -> None:
    key, message, signature = VECTORS[vector]
    public, signed = bytes.fromhex(key), bytes.fromhex(signature)
    assert tool.is_signed(public, signed, message)
    assert not tool.is_signed(public, signed, message + b"x")
    for bit in range(0, 512, 7):
        changed = bytearray(signed)
        changed[bit // 8] ^= 1 << bit % 8
        assert not tool.is_signed(public, bytes(changed), message)


@pytest.mark.usefixtures("alone")
def test_a_signature_has_one_form() -> None:
    """S + L, R and A with y + p: accepted by lax verifiers (RFC 8032, 5.1.7 and 8.4)."""
    key, message, signature = VECTORS["one byte"]
    public, signed = bytes.fromhex(key), bytes.fromhex(signature)
    larger = int.from_bytes(signed[32:], "little") + tool.ORDER
    assert not tool.is_signed(public, signed[:32] + larger.to_bytes(32, "little"), message)
    for y in range(19):
        assert tool.point_of((tool.P + y).to_bytes(32, "little")) is None
    assert tool.point_of((1 | 1 << 255).to_bytes(32, "little")) is None, "-0 has no encoding"
    for short in (b"", signed[:63], signed + b"\0"):
        assert not tool.is_signed(public, short, message)
    assert not tool.is_signed(public[:31], signed, message)


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("encoded", SMALL_ORDER)
def test_a_key_of_small_order_signs_nothing(encoded: str) -> None:
    """With such a key one signature holds for many messages, whoever made it."""
    key = bytes.fromhex(encoded)
    base = tool.bytes_of(tool.BASE)
    signature = base + (1).to_bytes(32, "little")
    messages = [str(number).encode() for number in range(40)]
    assert any(tool.signed_by_hand(key, signature, message) for message in messages)
    assert not any(tool.is_signed(key, signature, message) for message in messages)


@given(seed=st.binary(min_size=32, max_size=32), message=st.binary(max_size=200), data=st.data())
def test_both_ways_of_checking_agree(seed: bytes, message: bytes, data: st.DataObject) -> None:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = private.public_key().public_bytes_raw(), private.sign(message)
    assert tool.signed_by_hand(public, signature, message)
    changed = bytearray(public + signature)
    bit = data.draw(st.integers(0, len(changed) * 8 - 1))
    changed[bit // 8] ^= 1 << bit % 8
    public, signature = bytes(changed[:32]), bytes(changed[32:])
    is_canonical = int.from_bytes(signature[32:], "little") < tool.ORDER
    if is_canonical and tool.point_of(public) and tool.point_of(signature[:32]):
        by_hand = tool.signed_by_hand(public, signature, message)
        assert by_hand == tool.signed_by_library(public, signature, message)
        assert not by_hand
    assert not tool.is_signed(public, signature, message)


@given(st.binary(min_size=8, max_size=8))
def test_fractions_are_written_as_the_rfc_says(data: bytes) -> None:
    (value,) = struct.unpack("<d", data)
    if value == value and abs(value) != float("inf"):
        assert tool._canonical(value).encode() == rfc8785.dumps(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (5e-324, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (9007199254740992.0, "9007199254740992"),
        (295147905179352830000.0, "295147905179352830000"),
        (1e21, "1e+21"),
        (9.999999999999997e22, "9.999999999999997e+22"),
        (0.000001, "0.000001"),
        (1e-7, "1e-7"),
        (-333333333.3333333, "-333333333.3333333"),
    ],
)
def test_fractions_of_the_rfc(value: float, text: str) -> None:
    """RFC 8785, appendix B."""
    assert tool._canonical(value) == text


def _is_canonical(line: bytes) -> bool:
    try:
        tool.value_of_line(line)
    except tool.Wrong:
        return False
    return True


@given(VALUES)
def test_canonical_json_is_that_of_the_library(value: object) -> None:
    line = rfc8785.dumps(value)  # type: ignore[arg-type]
    assert tool.canonical(tool.parsed(line)) == line
    assert tool.canonical(tool.value_of_line(line)) == line


@given(VALUES)
def test_what_python_writes_is_canonical_only_where_the_library_writes_the_same(
    value: object,
) -> None:
    line = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    assert _is_canonical(line) == (line == rfc8785.dumps(value))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "line", ['{"a":1.0}', '{"a":1e-07}', "[1,2.0]", "[1e+16]", '{"a":-1E5}', "[0.10]", "[-0]"]
)
def test_a_number_has_one_form(line: str) -> None:
    assert not _is_canonical(line.encode())


def test_names_are_in_the_order_of_utf_16() -> None:
    for line in ('{"\U00010000":1,"\uffff":2}', "[1]"):
        assert _is_canonical(line.encode())
    line = '{"\uffff":2,"\U00010000":1}'
    assert not _is_canonical(line.encode())


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1,"a":1}',
        b"NaN",
        b"Infinity",
        b"1e999",
        b"9" * 5000,
        b"0." + b"1" * 5000,
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"\xef\xbb\xbf{}",
        b"\xff",
        b'"\xed\xa0\x80"',
        b"",
        b"{} {}",
    ],
)
def test_json_that_readers_could_take_differently_is_refused(text: bytes) -> None:
    with pytest.raises(tool.Wrong):
        tool.canonical(tool.parsed(text))


def test_half_a_character_is_no_text() -> None:
    with pytest.raises(tool.Wrong):
        tool.canonical(tool.parsed(b'"\\ud800"'))


@given(st.integers(1, 70))
def test_trees_and_paths_are_those_of_two_other_implementations(size: int) -> None:
    leaves = [tool.leaf_of(struct.pack(">I", number)) for number in range(size)]
    tree = tool.Tree()
    for number, leaf in enumerate(leaves):
        assert tree.root() == forging.root(leaves[:number])
        tree.add(leaf)
    root = forging.root(leaves)

    def nodes(level: int, number: int) -> bytes:
        return forging.root(leaves[number << level : (number + 1) << level])

    for number, leaf in enumerate(leaves):
        path = merkle.inclusion(number, size, nodes)
        assert path == forging.path(number, leaves)
        assert tool.root_by_path(leaf, number, size, path) == root
        other = (number + 1) % size
        if other != number:
            assert _root(leaf, other, size, path) != root
    for old in range(1, size + 1):
        proof = merkle.consistency(old, size, nodes)
        assert proof == forging.consistency(old, leaves)
        old_root = forging.root(leaves[:old])
        assert tool.roots_by_proof(old, size, proof, old_root) == (old_root, root)


def _root(leaf: bytes, number: int, size: int, path: list[bytes]) -> bytes | None:
    try:
        return tool.root_by_path(leaf, number, size, path)
    except tool.Wrong:
        return None


def test_the_example_of_the_signed_note_specification_is_read() -> None:
    """https://c2sp.org/tlog-cosignature"""
    note = tool.note_of(
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
        "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/"
        "Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
        "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJs"
        "X3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
    )
    assert (note.origin, note.size) == ("example.com/behind-the-sofa", 20852163)
    assert [name for name, *_ in note.signatures] == [
        "example.com/behind-the-sofa",
        "witness.example.com/w1",
    ]
    assert int.from_bytes(note.signatures[1][2][:8], "big") == 1679315147


@pytest.mark.parametrize("text", ["", "x", "x+00000000+AAAA", "a b+00000000+AAAA", "+", "++"])
def test_what_is_no_verifier_key_is_refused(text: str) -> None:
    with pytest.raises(tool.Wrong):
        tool.key_of(text)


def test_a_key_of_another_kind_is_refused() -> None:
    witness = forging.Pen("w", kind=4).vkey
    assert tool.key_of(witness, tool.WITNESS_KEY).text == witness
    with pytest.raises(tool.Wrong):
        tool.key_of(witness)


def test_numbers_too_large_for_all_readers_are_not_whole_numbers() -> None:
    assert tool.parsed(json.dumps(1 << 53).encode()) == float(1 << 53)
    assert not tool.is_number(float(1 << 53))
    assert not tool.is_number(True)
    with pytest.raises(tool.Wrong):
        tool.unbase64(base64.b64encode(b"x").decode().replace("=", "", 1))
