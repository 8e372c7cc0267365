"""What was said of a document can be corrected, by somebody, with a reason; the seal stays."""

from pathlib import Path

import pytest

from recorder_sync.custody.log import Act
from tests.catalogue.whole import whole
from tests.conftest import Dock
from tests.documents.handing_in import add, begun, description, entries, listed, paper
from tests.inspection.furnished import verify_here

WHY = ("--by", "王队", "--reason", "抄错")


@pytest.fixture
def document(dock: Dock, tmp_path: Path) -> str:
    begun(dock)
    file = paper(tmp_path)
    said = ("--kind", "service document", "--number", "17", "--by", "李四")
    identifier: str = add(dock, file, *said).json["id"]
    return identifier


def test_art_4_a_correction_changes_what_is_shown_and_nothing_that_was_sealed(
    dock: Dock, document: str
) -> None:
    (before,) = listed(dock)
    files = {path: path.read_bytes() for path in dock.sealed_files()}
    done = dock.run(
        *("cases", "documents", "correct", document, "--title", "送达回证", "--item", "7.1"),
        *("--clear", "number", *WHY, "--json"),
    )
    assert done.code == 0, done.err
    (after,) = listed(dock)
    assert done.json == after
    right = {"title": "送达回证", "number": None, "stage": "investigation", "item": "7.1"}
    (said,) = after["corrections"]
    assert {**before, **right, "corrections": [said]} == after
    assert (said["by"], said["reason"]) == ("王队", "抄错")
    assert said["before"]["title"] == before["title"]
    assert said["after"] == {"kind": "service document", **right}
    (entry,) = entries(dock, Act.DOCUMENT_CORRECTED)
    assert (entry.seq, entry.deed.subject) == (said["custody_seq"], document)
    assert {path: path.read_bytes() for path in dock.sealed_files()} == files
    assert description(dock, before["path"])["title"] == before["title"]

    again = dock.run("cases", "documents", "correct", document, "--title", "送达证明", *WHY)
    assert again.code == 0, again.err
    shown = dock.run("cases", "documents", "show", document)
    assert shown.code == 0, shown.err
    for word in ("送达证明", "Title: 送达回证 → 送达证明", "Document number: 17 → —"):
        assert word in shown.out
    as_json = dock.run("cases", "documents", "show", document, "--json").json
    acts = [one["act"] for one in as_json["custody"]]
    assert acts == ["document", *2 * ["document-corrected"], *2 * ["view"]]
    assert len(as_json["corrections"]) == 2

    assert verify_here(dock) == []
    before_rebuild = whole(dock.state / "catalogue.db")
    assert dock.run("catalogue", "rebuild").code == 0
    assert whole(dock.state / "catalogue.db") == before_rebuild


@pytest.mark.parametrize(
    "words",
    [
        ("--title", "行政处罚决定书", *WHY),
        ("--title", "x", "--by", "王队", "--reason", " "),
        ("--title", " ", *WHY),
        ("--item", "99", *WHY),
        ("--item", "9.1", "--stage", "investigation", *WHY),
        WHY,
    ],
)
def test_what_is_no_correction_is_refused_and_leaves_nothing(
    dock: Dock, document: str, words: tuple[str, ...]
) -> None:
    before = listed(dock)
    done = dock.run("cases", "documents", "correct", document, *words)
    assert done.code == 2
    assert done.err.strip()
    assert listed(dock) == before
    assert entries(dock, Act.DOCUMENT_CORRECTED) == []


def test_art_27_a_title_that_somebody_wrote_into_the_database_is_found(
    dock: Dock, document: str
) -> None:
    assert dock.run("cases", "documents", "correct", document, "--title", "新", *WHY).code == 0
    station = dock.station()
    station.catalogue.execute("update documents set title = '行政处罚决定书'")
    station.catalogue.conn.commit()
    station.catalogue.close()
    (finding,) = verify_here(dock)
    assert document in finding.path
