"""Marks and bookmarks of recordings: on record, shown, and the same after a rebuild."""

import sqlite3
from typing import Any

import pytest

from recorder_sync.custody.log import CustodyLog
from tests.catalogue.whole import whole
from tests.conftest import Card, Dock, MediaFiles


@pytest.fixture
def recording(dock: Dock, card: Card, media_files: MediaFiles) -> str:
    """A video of 2 s."""
    card.put("DCIM/DCAM_CAM001_000001_20261123_160000.mp4", media_files.video)
    (sealed,) = dock.ingest(card).json["recordings"]
    return str(sealed["id"])


def shown(dock: Dock, recording: str) -> dict[str, Any]:
    found: dict[str, Any] = dock.run("recordings", "show", recording, "--json").json
    (listed,) = dock.run("recordings", "list", "--json").json["recordings"]
    assert (listed["marks"], listed["bookmarks"]) == (found["marks"], found["bookmarks"])
    return found


def on_record(dock: Dock, act: str) -> list[Any]:
    log = CustodyLog(dock.state / "custody", "test")
    return [entry.deed.facts for entry in log.entries() if entry.deed.act == act]


def test_marks_are_on_record_with_who_and_what_was_before(dock: Dock, recording: str) -> None:
    unmarked = shown(dock, recording)["marks"]
    assert unmarked == {
        "important": None,
        "notified": None,
        "stage": None,
        "item": None,
        "secrecy": "none",
    }
    marked = dock.run(
        *("recordings", "mark", recording, "--important", "--notified", "--second", "1.5"),
        *("--item", "7.3", "--secrecy", "personal privacy", "--by", "王芳", "--json"),
    )
    assert marked.code == 0, marked.err
    wanted = {
        "important": True,
        "notified": {"by": "王芳", "second": 1.5},
        "stage": "investigation",
        "item": "7.3",
        "secrecy": "personal privacy",
    }
    assert marked.json == wanted == shown(dock, recording)["marks"]
    (facts,) = on_record(dock, "mark")
    assert facts == {"by": "王芳", "reason": None, "before": unmarked, "after": wanted}
    again = dock.run("recordings", "mark", recording, "--important", "--by", "李明")
    assert again.code == 0
    assert len(on_record(dock, "mark")) == 1, "what is so already is not put on record again"
    text = dock.run("recordings", "show", recording).out
    assert "王芳, at second 1.5" in text
    assert "7.3 On-site inspection" in text


def test_nothing_is_taken_back_without_a_reason(dock: Dock, recording: str) -> None:
    dock.run("recordings", "mark", recording, "--secrecy", "state secret", "--by", "王芳")
    lower = ("recordings", "mark", recording, "--secrecy", "none", "--by", "王芳")
    refused = dock.run(*lower)
    assert refused.code == 2
    assert "reason" in refused.err
    assert dock.run(*lower, "--reason", "误标").code == 0
    assert [facts["reason"] for facts in on_record(dock, "mark")] == [None, "误标"]


def test_art_19_bookmarks_stand_in_the_order_of_the_recording(dock: Dock, recording: str) -> None:
    for second, kind in (("1.9", "service of documents"), ("0.25", "scene")):
        done = dock.run(
            *("recordings", "bookmark", recording, second, "--kind", kind),
            *("--note", "门口", "--by", "王芳", "--json"),
        )
        assert done.code == 0, done.err
    first, second_one = shown(dock, recording)["bookmarks"]
    assert (first["second"], first["kind"], first["note"]) == (0.25, "scene", "门口")
    assert second_one["second"] == 1.9
    for outside in ("2.5", "-1"):
        assert dock.run("recordings", "bookmark", recording, "--", outside).code == 2
    number = str(first["number"])
    withdraw = ("recordings", "bookmark", recording, "--withdraw", number, "--by", "李明")
    assert dock.run(*withdraw).code == 2, "without a reason"
    assert dock.run(*withdraw, "--reason", "看错").code == 0
    assert [one["second"] for one in shown(dock, recording)["bookmarks"]] == [1.9]
    assert dock.run(*withdraw, "--reason", "再次").code == 2, "there is none any more"
    assert on_record(dock, "bookmark")[-1]["reason"] == "看错", "what was taken back stays"


def test_art_25_a_case_is_classified_and_stays_so(dock: Dock) -> None:
    dock.run("cases", "add", "2026-7", "--party", "李明")
    assert dock.run("cases", "classify", "2026-7", "commercial secret").code == 0
    dock.run("cases", "add", "2026-7", "--party", "李明建筑")
    case = dock.run("cases", "show", "2026-7", "--json").json
    assert (case["party"], case["secrecy"]) == ("李明建筑", "commercial secret")


def test_a_rebuild_gives_the_same_marks(dock: Dock, recording: str) -> None:
    dock.run("cases", "add", "2026-7")
    for arguments in (
        ("recordings", "mark", recording, "--item", "9.1", "--notified", "--important"),
        ("recordings", "mark", recording, "--not-important", "--reason", "误标"),
        ("recordings", "bookmark", recording, "1", "--kind", "persons"),
        ("recordings", "bookmark", recording, "1.5"),
        ("cases", "classify", "2026-7", "state secret"),
    ):
        assert dock.run(*arguments).code == 0
    number = shown(dock, recording)["bookmarks"][0]["number"]
    dock.run("recordings", "bookmark", recording, "--withdraw", str(number), "--reason", "看错")
    before = whole(dock.state / "catalogue.db")
    assert dock.run("catalogue", "rebuild").code == 0
    assert whole(dock.state / "catalogue.db") == before
    assert before["bookmarks"], "there is something to compare"


def test_promise_5_a_mark_changed_behind_the_program_is_named(dock: Dock, recording: str) -> None:
    dock.run("recordings", "mark", recording, "--secrecy", "state secret")
    db = sqlite3.connect(dock.state / "catalogue.db")
    db.execute("update recordings set secrecy = null")
    db.commit()
    db.close()
    found = dock.run("verify", "--metadata", "--json").json["findings"]
    assert [(one["row"]["column"], one["row"]["log"]) for one in found] == [
        ("secrecy", "state secret")
    ]


def test_art_18_an_office_has_items_of_its_own(dock: Dock, recording: str) -> None:
    own = {"id": "market-1", "stage": "investigation", "text": "现场称重"}
    dock.configure(marks={"items": [own]})
    listed = dock.run("recordings", "items", "--json").json["items"]
    assert own in listed
    assert len(listed) == 25
    assert dock.run("recordings", "mark", recording, "--item", "market-1").code == 0
    assert shown(dock, recording)["marks"]["stage"] == "investigation"
    dock.configure(marks={"items": [{**own, "id": "7.3"}]})
    assert dock.run("config", "check").code == 2
