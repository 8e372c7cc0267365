"""SHA-256 computed in pairs: the same digest as hashlib's, or it is not used."""

import hashlib
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.ingest import sha256_pair
from recorder_sync.ingest.sha256_pair import Sha256

_SOURCE = Path(sha256_pair.__file__).with_suffix(".c")

needs_it = pytest.mark.skipif(
    not sha256_pair.is_there(),
    reason="this computer has no C compiler, or its processor no instructions for SHA-256",
)

pieces = st.lists(st.binary(max_size=300) | st.integers(0, 9000).map(bytes), max_size=6)


def of_hashlib(given: Sequence[bytes]) -> str:
    return hashlib.sha256(b"".join(given)).hexdigest()


@needs_it
@given(pieces)
def test_a_digest_is_that_of_hashlib_however_the_bytes_come(given: list[bytes]) -> None:
    digest = Sha256()
    for piece in given:
        digest.update(memoryview(piece))
    assert digest.hexdigest() == of_hashlib(given)


@needs_it
@given(pieces, pieces, st.lists(st.sampled_from(("both", "first", "second")), max_size=12))
def test_two_recordings_at_once_have_the_digests_that_each_has_alone(
    one: list[bytes], another: list[bytes], steps: list[str]
) -> None:
    first, second = Sha256(), Sha256()
    left = [list(one), list(another)]
    for step in (*steps, *["both"] * 6, *["first", "second"] * 6):
        if step == "both" and all(left):
            a, b = left[0].pop(0), left[1].pop(0)
            Sha256.update_two(first, memoryview(a), second, memoryview(b))
        elif step == "first" and left[0]:
            first.update(memoryview(left[0].pop(0)))
        elif step == "second" and left[1]:
            second.update(memoryview(left[1].pop(0)))
    assert (first.hexdigest(), second.hexdigest()) == (of_hashlib(one), of_hashlib(another))


@needs_it
def test_asking_for_a_digest_changes_nothing_about_what_follows() -> None:
    digest = Sha256()
    digest.update(memoryview(b"a" * 100))
    assert digest.hexdigest() == of_hashlib([b"a" * 100])
    digest.update(memoryview(b"b" * 100))
    assert digest.hexdigest() == of_hashlib([b"a" * 100, b"b" * 100])


@pytest.fixture
def forgets() -> Iterator[None]:
    """The library is looked for again, before and after."""
    for known in (sha256_pair.is_there, sha256_pair._library):
        known.cache_clear()
    yield
    for known in (sha256_pair.is_there, sha256_pair._library):
        known.cache_clear()


@pytest.mark.usefixtures("forgets")
def test_where_it_was_not_built_it_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sha256_pair, "_LIBRARY", tmp_path / "none.so")
    assert not sha256_pair.is_there()


@needs_it
@pytest.mark.usefixtures("forgets")
@pytest.mark.parametrize("wrong", [False, True], ids=["right", "one constant wrong"])
def test_one_that_computes_something_else_than_hashlib_is_not_used(
    wrong: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    text = _SOURCE.read_text()
    assert "0xc67178f2" in text
    source, library = tmp_path / "pair.c", tmp_path / "pair.so"
    source.write_text(text.replace("0xc67178f2", "0xc67178f3") if wrong else text)
    subprocess.run([compiler, "-O3", "-shared", "-fPIC", "-o", library, source], check=True)
    monkeypatch.setattr(sha256_pair, "_LIBRARY", library)
    assert sha256_pair.is_there() is not wrong
