"""Which id a recording gets, and which device a card belongs to (Art. 4)."""

import re

from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.model import Claim, Identity, IdentityState, Source
from recorder_sync.rules.identity import ID_LENGTH, identify, recording_id

DIGEST = blake3(b"a recording").hexdigest()
NAME = Claim("0031", Source.NAME, "profile dcam")
INI = Claim("0031", Source.SIDECAR, "recorder.ini")
OTHER = Claim("0032", Source.SIDECAR, "recorder.ini")

_digests = st.binary(max_size=40).map(lambda data: blake3(data).hexdigest())


def test_promise_3_the_same_content_from_the_same_device_has_one_id() -> None:
    assert recording_id("0031", DIGEST) == recording_id("0031", DIGEST)


def test_ids_stay_the_same_from_version_to_version() -> None:
    """An id stands in evidence paths and custody entries, which nobody rewrites."""
    assert recording_id("0031", blake3(b"").hexdigest()) == "dqq6qbh65i7te"


@given(device=st.text(max_size=30), digest=_digests)
def test_an_id_is_thirteen_letters_or_digits_that_any_disk_keeps(device: str, digest: str) -> None:
    assert re.fullmatch(rf"[a-z2-7]{{{ID_LENGTH}}}", recording_id(device, digest))


@given(
    one=st.tuples(st.text(max_size=20), _digests),
    two=st.tuples(st.text(max_size=20), _digests),
)
def test_another_device_or_another_content_has_another_id(
    one: tuple[str, str], two: tuple[str, str]
) -> None:
    assert (recording_id(*one) == recording_id(*two)) == (one == two)


def test_promise_7_a_card_that_says_nothing_belongs_to_no_known_device() -> None:
    assert identify([], ["0031"]) == Identity(None, None, IdentityState.UNKNOWN)


def test_a_registered_device_is_known() -> None:
    assert identify([NAME], ["0031"]) == Identity("0031", Source.NAME, IdentityState.KNOWN, (NAME,))


def test_a_device_that_is_not_in_the_ledger_is_named_and_unknown() -> None:
    found = identify([NAME], ["0030"])
    assert (found.device, found.state) == ("0031", IdentityState.UNKNOWN)


def test_sources_that_name_two_devices_are_a_conflict_even_if_one_is_registered() -> None:
    found = identify([NAME, OTHER], ["0031"])
    assert found == Identity("0031", Source.NAME, IdentityState.CONFLICT, (NAME, OTHER))


def test_sources_that_agree_are_no_conflict_and_all_are_kept() -> None:
    found = identify([INI, NAME, INI], ["0031"])
    assert found == Identity("0031", Source.NAME, IdentityState.KNOWN, (INI, NAME))


@given(
    claims=st.lists(
        st.builds(Claim, st.text(max_size=3), st.sampled_from(list(Source)), st.just(""))
    )
)
def test_every_distinct_claim_is_kept_once(claims: list[Claim]) -> None:
    found = identify(claims, [])
    assert len(set(found.claims)) == len(found.claims)
    assert set(found.claims) == set(claims) or found.device is None
