"""Promise 3 for documents: killed at any step, nothing is lost, nothing is half, nothing twice."""

from pathlib import Path

import pytest

from recorder_sync.custody.log import Act
from tests.catalogue.whole import whole
from tests.conftest import Card, Dock, MediaFiles
from tests.documents.handing_in import (
    PDF,
    add,
    begun,
    entries,
    killed,
    left_in_incoming,
    listed,
    paper,
)
from tests.inspection.furnished import verify_here

pytestmark = pytest.mark.long

_EVIDENCE = "recorder_sync.stores.evidence:EvidenceFolder"
_SEAL = "recorder_sync.ingest.document_seal"

BEFORE_THE_INTENT = {
    "copied": ("recorder_sync.ingest.engine:Writer", "sync", "before"),
    "read back": ("recorder_sync.ingest.documents", "seal_document", "before"),
    "intent not committed": ("recorder_sync.catalogue.documents", "note_intent", "after"),
}
WITH_AN_INTENT = {
    "intent": (_SEAL, "_seal", "before"),
    "moved": ("recorder_sync.ingest.placing", "move_into_place", "after"),
    "described": ("recorder_sync.ingest.placing", "read_only_file", "after"),
    "listed": (_EVIDENCE, "list_digests", "after"),
    "protected": (_EVIDENCE, "protect", "after"),
    "in place": (_SEAL, "put", "before"),
    "in the log": ("recorder_sync.on_record", "append", "after"),
    "sealed": (_SEAL, "put", "after"),
}
STEPS = {**BEFORE_THE_INTENT, **WITH_AN_INTENT}


@pytest.mark.parametrize("step", STEPS)
def test_promise_3_what_was_cut_off_is_finished_or_gone_and_sealed_once(
    dock: Dock, tmp_path: Path, step: str
) -> None:
    begun(dock)
    file = paper(tmp_path)
    killed(dock, file, STEPS[step])
    other = add(dock, paper(tmp_path, PDF + b"another", "other.pdf"))
    assert other.code == 0, other.err
    is_finished = step in WITH_AN_INTENT
    assert len(listed(dock)) == (2 if is_finished else 1), "nothing half"
    assert left_in_incoming(dock) == []
    again = add(dock, file)
    assert again.code == 0, again.err
    assert again.json["already_sealed"] is is_finished
    assert (dock.evidence / again.json["path"]).read_bytes() == PDF
    sealed = [entry.deed.subject for entry in entries(dock, Act.DOCUMENT)]
    assert sorted(sealed) == sorted({again.json["id"], other.json["id"]}), "nothing twice"
    assert verify_here(dock) == []


@pytest.mark.parametrize("step", ["moved", "in the log"])
def test_promise_3_a_rebuild_and_an_intake_finish_it_as_well(
    dock: Dock, card: Card, tmp_path: Path, media_files: MediaFiles, step: str
) -> None:
    begun(dock)
    killed(dock, paper(tmp_path), STEPS[step])
    assert dock.run("catalogue", "rebuild").code == 0
    card.put("a.jpg", media_files.photo)
    assert dock.ingest(card).code == 0
    _one_and_whole(dock)


def test_a_copy_that_a_power_cut_spoiled_is_not_sealed(dock: Dock, tmp_path: Path) -> None:
    begun(dock)
    file = paper(tmp_path)
    killed(dock, file, STEPS["moved"])
    (moved,) = [path for path in dock.sealed_files() if path.suffix == ".pdf"]
    moved.chmod(0o640)
    moved.write_bytes(b"\0" * len(PDF))
    moved.chmod(0o440)
    done = add(dock, file)
    assert done.code == 0, done.err
    assert done.json["already_sealed"] is False
    _one_and_whole(dock)


def _one_and_whole(dock: Dock) -> None:
    (one,) = listed(dock)
    assert (dock.evidence / one["path"]).read_bytes() == PDF
    assert [entry.deed.subject for entry in entries(dock, Act.DOCUMENT)] == [one["id"]]
    assert left_in_incoming(dock) == []
    assert verify_here(dock) == []
    before = whole(dock.state / "catalogue.db")
    assert before["documents"]
    assert dock.run("catalogue", "rebuild").code == 0
    assert whole(dock.state / "catalogue.db") == before
