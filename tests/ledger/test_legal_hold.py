"""Legal hold (Art. 25): put and released by people, on record, and respected until it is."""

from typing import Any

import pytest

from recorder_sync.custody.log import CustodyLog
from tests.catalogue.whole import whole
from tests.conftest import Card, Dock, MediaFiles

WHY = ("--reason", "行政诉讼", "--by", "王队")


@pytest.fixture
def sealed(dock: Dock, card: Card, media_files: MediaFiles) -> list[str]:
    """The ids of three recordings; the first two are of the case 2026-7."""
    dock.configure(ingest={"immutable": False})
    for name in ("one", "two"):
        card.put(f"{name}.jpg", media_files.photo.read_bytes() + name.encode())
    first = [one["id"] for one in dock.ingest(card, "--case", "2026-7").json["recordings"]]
    card.put("three.jpg", media_files.photo.read_bytes() + b"three")
    (third,) = dock.ingest(card).json["recordings"]
    return [*first, third["id"]]


def held(dock: Dock) -> dict[str, Any]:
    """Return `legal_hold` of every recording that has one."""
    listed = dock.run("recordings", "list", "--json").json["recordings"]
    return {one["id"]: one["legal_hold"] for one in listed if one["legal_hold"]}


def acts(dock: Dock) -> list[tuple[str, str]]:
    entries = CustodyLog(dock.state / "custody", "test").entries()
    found = [(e.deed.act.value, e.deed.subject) for e in entries]
    return [one for one in found if one[0].startswith("legal-hold")]


def test_art_25_a_hold_and_its_release_are_on_record_with_who_and_why(
    dock: Dock, sealed: list[str]
) -> None:
    done = dock.run("recordings", "hold", sealed[2], *WHY, "--json")
    assert (done.code, done.json) == (0, {"held": [sealed[2]], "held_before": []})
    (hold,) = held(dock).values()
    assert (hold["by"], hold["reason"], hold["case"]) == ("王队", "行政诉讼", None)
    shown = dock.run("recordings", "show", sealed[2], "--json").json
    assert shown["legal_hold"] == hold
    again = dock.run("recordings", "hold", sealed[2], *WHY, "--json")
    assert (again.code, again.json["held_before"]) == (0, [sealed[2]])
    released = dock.run("recordings", "release", sealed[2], "--reason", "结案", "--json")
    assert (released.code, released.json) == (0, {"released": [sealed[2]]})
    assert held(dock) == {}
    assert acts(dock) == [("legal-hold", sealed[2]), ("legal-hold-released", sealed[2])]


def test_a_case_is_held_as_a_whole_and_what_comes_later_with_it(
    dock: Dock, sealed: list[str], card: Card, media_files: MediaFiles
) -> None:
    assert dock.run("recordings", "hold", "--case", "2026-7", *WHY).code == 0
    assert set(held(dock)) == set(sealed[:2])
    card.put("later.jpg", media_files.photo.read_bytes() + b"later")
    (later,) = dock.ingest(card, "--case", "2026-7").json["recordings"]
    assert set(held(dock)) == {*sealed[:2], later["id"]}
    listed = dock.run("recordings", "holds", "--json").json
    assert [(one["recording"], one["case"]) for one in listed["holds"]] == [(None, "2026-7")]
    assert listed["recordings"] == 3
    assert dock.run("recordings", "release", "--case", "2026-7", *WHY).code == 0
    assert held(dock) == {}


def test_what_is_held_twice_is_held_until_both_are_released(dock: Dock, sealed: list[str]) -> None:
    assert dock.run("recordings", "hold", sealed[0], "--case", "2026-7", *WHY).code == 0
    assert dock.run("recordings", "release", "--case", "2026-7", *WHY).code == 0
    assert set(held(dock)) == {sealed[0]}
    assert dock.run("recordings", "release", sealed[0], *WHY).code == 0
    assert held(dock) == {}


def test_what_is_held_with_its_case_is_not_released_alone_nor_moved_out_of_it(
    dock: Dock, sealed: list[str]
) -> None:
    assert dock.run("recordings", "hold", "--case", "2026-7", *WHY).code == 0
    alone = dock.run("recordings", "release", sealed[0], *WHY, "--json")
    assert (alone.code, alone.json["error"]) == (
        2,
        f"Recording {sealed[0]} is held with its case 2026-7.",
    )
    move = ("recordings", "tag", sealed[0], *WHY, "--case", "2026-8")
    assert dock.run(*move).code == 2
    assert set(held(dock)) == set(sealed[:2])
    assert dock.run("recordings", "hold", sealed[0], *WHY).code == 0
    assert dock.run(*move).code == 0
    assert set(held(dock)) == set(sealed[:2])


@pytest.mark.parametrize(
    "arguments",
    [
        ("hold", "--reason", "x"),
        ("hold", "nonsense", "--reason", "x"),
        ("hold", "--case", "no such", "--reason", "x"),
        ("release", "--case", "2026-7", "--reason", "x"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_on_record(
    dock: Dock, sealed: list[str], arguments: tuple[str, ...]
) -> None:
    assert dock.run("recordings", *arguments).code == 2
    assert dock.run("recordings", "hold", sealed[0], "--reason", " ").code == 2
    assert acts(dock) == []


def test_all_or_none(dock: Dock, sealed: list[str]) -> None:
    assert dock.run("recordings", "hold", sealed[0], "nonsense", *WHY).code == 2
    assert held(dock) == {}
    assert acts(dock) == []


def test_a_catalogue_made_anew_has_the_same_holds_and_nothing_differs(
    dock: Dock, sealed: list[str]
) -> None:
    assert dock.run("recordings", "hold", *sealed, *WHY).code == 0
    assert dock.run("recordings", "release", sealed[1], *WHY).code == 0
    assert dock.run("recordings", "hold", sealed[1], *WHY).code == 0
    before = whole(dock.state / "catalogue.db")
    assert dock.run("verify", "--metadata", "--json").json["findings"] == []
    assert dock.run("catalogue", "rebuild").code == 0
    assert whole(dock.state / "catalogue.db") == before
    assert set(held(dock)) == set(sealed)


def test_art_27_a_hold_that_somebody_takes_out_of_the_catalogue_is_found(
    dock: Dock, sealed: list[str]
) -> None:
    assert dock.run("recordings", "hold", sealed[0], *WHY).code == 0
    station = dock.station()
    station.catalogue.execute("delete from legal_holds")
    station.catalogue.conn.commit()
    station.catalogue.close()
    found = dock.run("verify", "--metadata", "--json")
    assert found.code == 1
    assert [one["row"]["table"] for one in found.json["findings"]] == ["legal_holds"]
