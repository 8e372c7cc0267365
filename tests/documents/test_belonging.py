"""Art. 16: a recording ties in with the written records, and names the document it belongs to."""

from pathlib import Path

import pytest

from recorder_sync.custody.log import Act
from tests.catalogue.whole import whole
from tests.conftest import Card, Dock, MediaFiles
from tests.documents.handing_in import CASE, TITLE, add, begun, entries, listed, paper
from tests.inspection.furnished import verify_here


@pytest.fixture
def recording(dock: Dock, card: Card, media_files: MediaFiles) -> str:
    begun(dock)
    card.put("a.jpg", media_files.photo)
    return str(dock.ingest(card, "--case", CASE).json["recordings"][0]["id"])


def test_a_recording_names_its_document_until_somebody_says_otherwise(
    dock: Dock, tmp_path: Path, recording: str
) -> None:
    document = add(dock, paper(tmp_path)).json["id"]
    for _ in range(2):
        said = dock.run("recordings", "document", recording, document, "--by", "王队", "--json")
        assert said.json["document"]["id"] == document
    assert dock.run("recordings", "show", recording, "--json").json["document"]["title"] == TITLE
    assert TITLE in dock.run("recordings", "show", recording).out
    assert listed(dock)[0]["recordings"] == [recording]
    assert verify_here(dock) == []
    before = whole(dock.state / "catalogue.db")
    assert before["recording_documents"]
    assert dock.run("catalogue", "rebuild").code == 0
    assert whole(dock.state / "catalogue.db") == before
    taken_back = dock.run("recordings", "document", recording, "--none", "--by", "李明", "--json")
    assert taken_back.json == {"document": None}
    assert dock.run("recordings", "show", recording, "--json").json["document"] is None
    said_by = [one.deed.facts for one in entries(dock, Act.BELONGS_TO_DOCUMENT)]
    assert said_by == [
        {"by": "王队", "before": None, "document": document},
        {"by": "李明", "before": document, "document": None},
    ], "what is so already is not on record twice"
    assert verify_here(dock) == []


def test_no_recording_belongs_to_a_document_of_another_case(
    dock: Dock, tmp_path: Path, recording: str
) -> None:
    assert dock.run("cases", "add", "2026-8").code == 0
    other = add(dock, paper(tmp_path), case="2026-8").json["id"]
    for document, said in ((other, "another case"), ("d-nothing", "no document")):
        done = dock.run("recordings", "document", recording, document)
        assert done.code == 2
        assert said in done.err
    assert entries(dock, Act.BELONGS_TO_DOCUMENT) == []
