"""What a matter is known by, and how bad it is by the time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.language import T
from recorder_sync.model import AlertKind
from recorder_sync.rules.matter import (
    MOST_SHOWN,
    Item,
    Matter,
    Severity,
    begun,
    key_of,
    only,
    severity_by,
)

DUE = datetime(2026, 11, 24, 9, tzinfo=UTC)
LEAD = timedelta(hours=4)
SECOND = timedelta(seconds=1)

MATTER = Matter(
    kind=AlertKind.OUTSTANDING,
    key="outstanding/device/0031",
    severity=Severity.WARNING,
    since=DUE - LEAD,
    text=T("{count} recording(s) of {what}", count=2, what=T("device {device}", device="0031")),
    hint=T("Plug it in."),
    due=DUE,
    device="0031",
    count=2,
    items=(Item("a.mp4", DUE, DUE), Item("b.mp4")),
)


def test_art_21_it_is_no_matter_before_the_lead_a_warning_from_then_on_and_a_breach_after_it() -> (
    None
):
    expected = {
        DUE - LEAD - SECOND: None,
        DUE - LEAD: Severity.WARNING,
        DUE - SECOND: Severity.WARNING,
        DUE: Severity.WARNING,
        DUE + timedelta.resolution: Severity.BREACH,
        DUE + SECOND: Severity.BREACH,
    }
    assert {now: severity_by(DUE, LEAD, now) for now in expected} == expected


def test_a_breach_began_at_the_limit_whenever_it_was_noticed() -> None:
    assert begun(DUE, LEAD, Severity.BREACH) == DUE
    assert begun(DUE, LEAD, Severity.WARNING) == DUE - LEAD


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_any_time_that_a_card_may_claim_can_be_judged(due: datetime, now: datetime) -> None:
    severity = severity_by(due, LEAD, now)
    assert (severity is Severity.BREACH) == (now > due)
    if severity and now > datetime(2010, 1, 1, tzinfo=UTC):
        assert begun(due, LEAD, severity) <= now


def test_severities_have_an_order() -> None:
    assert sorted(Severity, key=lambda one: one.rank) == [
        Severity.NOTICE,
        Severity.WARNING,
        Severity.BREACH,
    ]


@given(st.lists(st.text(), min_size=1), st.lists(st.text(), min_size=1))
def test_different_things_have_different_keys(one: list[str], other: list[str]) -> None:
    keys = key_of(AlertKind.GAP, *one), key_of(AlertKind.GAP, *other)
    assert (keys[0] == keys[1]) == (one == other)


def test_the_digest_is_the_same_after_a_restart_and_an_upgrade() -> None:
    assert MATTER.digest == "b6036f249cdaee90f4f7b17ebab39c4b1442f960dc1eaacbeca2eca8205ecc7f"


def test_the_digest_changes_with_everything_that_people_are_told_but_the_beginning() -> None:
    changed = [
        replace(MATTER, severity=Severity.BREACH),
        replace(MATTER, text=T("{count} recording(s) of {what}", count=3, what="0031")),
        replace(MATTER, text=T("Something else")),
        replace(MATTER, hint=T("Leave it.")),
        replace(MATTER, due=DUE + SECOND),
        replace(MATTER, count=3),
        replace(MATTER, device="0032"),
        replace(MATTER, docking="D1"),
        replace(MATTER, recording="R1"),
        replace(MATTER, officer="000010"),
        replace(MATTER, case="C1"),
        replace(MATTER, items=MATTER.items[:1]),
        replace(MATTER, items=(*MATTER.items[:1], Item("b.mp4", None, DUE))),
    ]
    digests = {one.digest for one in changed}
    assert len(digests) == len(changed)
    assert MATTER.digest not in digests
    assert replace(MATTER, since=DUE).digest == MATTER.digest


def test_a_long_list_is_kept_whole_and_shown_short() -> None:
    items = tuple(Item(f"{n:03}.mp4") for n in range(500))
    long = replace(MATTER, items=items, count=500)
    assert long.shown_items == items[:MOST_SHOWN]
    assert len(long.names) == 500


def test_what_all_have_in_common_is_named_and_nothing_else() -> None:
    assert only(["0031", "0031"]) == "0031"
    assert only(["0031", None]) is None
    assert only(["0031", "0032"]) is None
    assert only([None]) is None
    assert only([]) is None
