"""Which device, officer and case a recording belongs to, and why (Art. 4, Art. 25)."""

from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.model import Claim, Flag, Source, Tag, Tags
from recorder_sync.rules.tagging import conflicts, decide

BEST_FIRST = (
    Source.PERSON,
    Source.NAME,
    Source.CONTAINER,
    Source.SIDECAR,
    Source.LEDGER,
    Source.CALENDAR,
)

_claims = st.lists(
    st.builds(
        Claim,
        value=st.sampled_from(["", "  ", "0031", " 0031 ", "cam1", "CAM1", "李明", "0032"]),
        source=st.sampled_from(list(Source)),
        detail=st.sampled_from(["one", "two", "three"]),
    ),
    max_size=8,
)


def test_without_a_claim_there_is_no_tag() -> None:
    assert decide([]) is None


def test_promise_7_an_empty_claim_is_none() -> None:
    assert decide([Claim("", Source.NAME, "name"), Claim(" \t", Source.SIDECAR, "ini")]) is None


def test_a_better_source_wins_over_every_worse_one() -> None:
    for at, better in enumerate(BEST_FIRST):
        for worse in BEST_FIRST[at + 1 :]:
            tag = decide([Claim("worse", worse, "w"), Claim("better", better, "b")])
            assert tag == Tag("better", better, "b", (Claim("worse", worse, "w"),))


def test_among_equal_sources_the_first_one_wins() -> None:
    tag = decide([Claim("1", Source.SIDECAR, "a.ini"), Claim("2", Source.SIDECAR, "b.ini")])
    assert tag is not None
    assert (tag.value, tag.detail) == ("1", "a.ini")


def test_case_and_surrounding_spaces_are_no_disagreement() -> None:
    tag = decide([Claim("cam001 ", Source.NAME, "name"), Claim(" CAM001", Source.SIDECAR, "ini")])
    assert tag == Tag("cam001", Source.NAME, "name")
    assert not tag.in_conflict


def test_promise_7_sources_that_disagree_are_a_conflict_with_every_value_kept() -> None:
    one, two, three = (
        Claim("0031", Source.NAME, "profile dcam"),
        Claim("0032", Source.SIDECAR, "recorder.ini"),
        Claim("0033", Source.LEDGER, "holder"),
    )
    tag = decide([three, one, two])
    assert tag == Tag("0031", Source.NAME, "profile dcam", (two, three))
    assert tag.in_conflict


def test_each_tag_has_a_conflict_flag_of_its_own() -> None:
    agreed = Tag("1", Source.NAME, "")
    disputed = Tag("1", Source.NAME, "", (Claim("2", Source.LEDGER, ""),))
    assert conflicts(Tags()) == frozenset()
    assert conflicts(Tags(agreed, agreed, agreed)) == frozenset()
    assert conflicts(Tags(device=disputed)) == {Flag.DEVICE_CONFLICT}
    assert conflicts(Tags(officer=disputed)) == {Flag.OFFICER_CONFLICT}
    assert conflicts(Tags(case=disputed)) == {Flag.CASE_CONFLICT}
    assert len(conflicts(Tags(disputed, disputed, disputed))) == 3


@given(claims=_claims)
def test_art_3_no_claim_is_dropped_silently(claims: list[Claim]) -> None:
    said = [claim for claim in claims if claim.value.strip()]
    tag = decide(claims)
    assert (tag is None) == (not said)
    if tag is None:
        return
    assert tag.value == tag.value.strip()
    assert BEST_FIRST.index(tag.source) == min(BEST_FIRST.index(c.source) for c in said)
    differing = [c for c in said if c.value.strip().casefold() != tag.value.casefold()]
    assert sorted(tag.others, key=repr) == sorted(differing, key=repr)


@given(claims=_claims)
def test_deciding_again_with_what_was_kept_decides_the_same(claims: list[Claim]) -> None:
    tag = decide(claims)
    if tag is not None:
        assert decide([Claim(tag.value, tag.source, tag.detail), *tag.others]) == tag
