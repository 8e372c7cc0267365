"""What a message says: what happened, since when, by when, what to do, and where to look."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.catalogue.alerts import RecordedAlert
from recorder_sync.channels.harmless import Manner
from recorder_sync.channels.wording import Envelope, Manners, letter, trial
from recorder_sync.language import Language, T, as_said
from recorder_sync.model import AlertKind
from recorder_sync.rules.escalation import Address
from recorder_sync.rules.matter import Item, Severity
from recorder_sync.rules.recipient import Recipient
from recorder_sync.rules.reconcile import AlertState, ResolvedBy

_SINCE = datetime(2026, 11, 24, 5, tzinfo=UTC)
_DUE = datetime(2026, 11, 24, 9, tzinfo=UTC)
_NOW = datetime(2026, 11, 24, 5, 40, tzinfo=UTC)
_ENGLISH = Manners(
    Language.ENGLISH,
    ZoneInfo("Asia/Shanghai"),
    Manner.EXACT,
    15_000,
    "dock-01",
    "https://dock-01.example.org/",
)
_ENVELOPE = Envelope(12, Address(Recipient.CUSTODIAN), False, _NOW)


def alert(number: int = 7, **more: Any) -> RecordedAlert:
    said: dict[str, Any] = {
        "number": number,
        "kind": AlertKind.OUTSTANDING,
        "key": "outstanding/0031",
        "state": AlertState.OPEN,
        "severity": Severity.WARNING,
        "since": _SINCE,
        "due": _DUE,
        "text": T("Of {device} {count} recordings are not stored.", device="0031", count=2),
        "hint": T("Dock it again."),
        "device": "0031",
        "docking": None,
        "recording": None,
        "officer": None,
        "case": None,
        "count": 2,
        "items": (Item("DCIM/A.MP4", _SINCE, _DUE), Item("DCIM/B.MP4")),
        "digest": "",
        "raised_at": _SINCE,
        **dict.fromkeys(
            ("updated_at", "acknowledged_at", "acknowledged_by", "resolved_at", "resolved_by")
        ),
        "resolver": None,
        "note": None,
        "cause_gone": False,
        "times_worse": 0,
    }
    return RecordedAlert(**{**said, **more})


def test_a_message_says_all_that_somebody_needs() -> None:
    said = letter(_ENVELOPE, [alert()], _NOW, _ENGLISH)
    assert said.severity is Severity.WARNING
    assert said.title == "[dock-01] Warning: Of 0031 2 recordings are not stored."
    assert said.text.splitlines() == [
        "Warning: Of 0031 2 recordings are not stored.",
        "Since: 2026-11-24 13:00:00+08:00",
        "Due: 2026-11-24 17:00:00+08:00, in 3 h 20 min",
        "What to do: Dock it again.",
        "Device: 0031",
        "- DCIM/A.MP4 (2026-11-24 13:00:00+08:00 – 2026-11-24 17:00:00+08:00)",
        "- DCIM/B.MP4",
        "https://dock-01.example.org/alerts/7",
        "To: custodian",
        "recorder-sync dock-01 · message 2026-11-24/12",
    ]


def test_after_the_limit_it_says_for_how_long() -> None:
    for late, words in (
        (timedelta(minutes=59), "59 min ago"),
        (timedelta(hours=47, minutes=59), "47 h 59 min ago"),
        (timedelta(days=3), "3 days ago"),
    ):
        said = letter(_ENVELOPE, [alert()], _DUE + late, _ENGLISH)
        assert f"Due: 2026-11-24 17:00:00+08:00, {words}" in said.text


def test_in_chinese_everything_is_chinese() -> None:
    manners = replace(_ENGLISH, language=Language.CHINESE, link_base=None)
    texts = [
        *letter(_ENVELOPE, [alert()], _NOW, manners).text.splitlines(),
        *letter(_ENVELOPE, [alert(), alert(8)], _NOW, manners).text.splitlines(),
        *trial("mail", _NOW, manners).text.splitlines(),
    ]
    for line in texts:
        own = line.replace("Of 0031 2 recordings are not stored.", "").replace("Dock it again.", "")
        for word in ("Warning", "Since", "Due", "What", "Device", "To:", "message", "This"):
            assert word not in own
    assert any(line.startswith("时限") for line in texts)


def test_a_resolved_alert_says_since_when_and_rings_no_bell() -> None:
    resolved = alert(
        severity=Severity.BREACH,
        state=AlertState.RESOLVED,
        resolved_by=ResolvedBy.CAUSE_GONE,
        resolved_at=_NOW,
    )
    said = letter(_ENVELOPE, [resolved], _NOW, _ENGLISH)
    assert said.title.startswith("[dock-01] Resolved: ")
    assert "Resolved since 2026-11-24 13:40:00+08:00" in said.text
    assert said.severity is Severity.NOTICE


def test_many_alerts_are_one_list_the_worst_first_and_the_resolved_last() -> None:
    alerts = [
        alert(1, severity=Severity.NOTICE),
        alert(2, state=AlertState.RESOLVED, resolved_at=_NOW, severity=Severity.BREACH),
        alert(3, severity=Severity.BREACH),
    ]
    said = letter(replace(_ENVELOPE, is_digest=True), alerts, _NOW, _ENGLISH)
    assert said.title == "[dock-01] Not resolved: 3 alert(s)"
    numbered = [line for line in said.text.splitlines() if line[0].isdigit()]
    assert [line.partition(".")[0] for line in numbered] == ["3", "1", "2"]
    assert "https://dock-01.example.org/alerts\n" in said.text


def test_at_most_twenty_are_shown_and_the_others_counted() -> None:
    items = tuple(Item(f"DCIM/{number:03}.MP4") for number in range(500))
    said = letter(_ENVELOPE, [alert(items=items, count=500)], _NOW, _ENGLISH)
    assert said.text.count("- DCIM/") == 20
    assert "- and 480 more" in said.text
    many = letter(_ENVELOPE, [alert(number) for number in range(57)], _NOW, _ENGLISH)
    assert "and 37 more" in many.text


@pytest.mark.parametrize("count", [1, 500])
def test_what_is_too_long_for_a_service_loses_items_and_still_names_itself(count: int) -> None:
    manners = replace(_ENGLISH, longest=2000, manner=Manner.CHAT)
    items = tuple(Item("中" * 255 + f"{number}") for number in range(500))
    alerts = [
        alert(number, items=items, text=as_said("文" * 5000), hint=as_said("字" * 5000))
        for number in range(count)
    ]
    said = letter(_ENVELOPE, alerts, _NOW, manners)
    assert len(said.title.encode()) + len(said.text.encode()) + 2 <= 2000
    assert said.text.endswith("recorder-sync dock-01 · message 2026-11-24/12")


@given(st.text(), st.text(), st.sampled_from(Manner))
def test_whatever_a_card_says_stays_on_its_line(words: str, name: str, manner: Manner) -> None:
    hostile = alert(
        text=T("The file {name} is damaged.", name=words),
        hint=as_said(words),
        items=(Item(name),),
        device=words,
        case=name,
    )
    said = letter(_ENVELOPE, [hostile], _NOW, replace(_ENGLISH, manner=manner))
    assert len(said.text.split("\n")) == 10
    assert said.text.replace("\n", "").isprintable()
    assert said.title.isprintable()
    if manner is not Manner.EXACT:
        own = said.text.replace("https://dock-01.example.org/alerts/7", "")
        assert not set("<>@") & set(own + said.title)


def test_two_names_that_are_long_are_told_apart_by_their_ends() -> None:
    items = (Item("D" * 300 + "/A.MP4"), Item("D" * 300 + "/B.MP4"))
    said = letter(_ENVELOPE, [alert(items=items)], _NOW, _ENGLISH)
    assert "D/A.MP4" in said.text
    assert "D/B.MP4" in said.text
