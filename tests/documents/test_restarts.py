"""A service that ends, or is killed, with a document in the tray: the next one seals it, once."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from recorder_sync.custody.log import Act
from recorder_sync.ingest.tray import FOLDER, Tray
from tests.conftest import Dock
from tests.documents.handing_in import PDF, begun, dies_at, entries, left_in_incoming, listed
from tests.documents.test_tray import GIVEN
from tests.ingest.aftermath import until
from tests.inspection.furnished import verify_here

STEPS = {
    "copied": ("recorder_sync.ingest.documents", "seal_document", "before"),
    "in place": ("recorder_sync.ingest.placing", "move_into_place", "after"),
    "sealed, and in the tray": ("recorder_sync.ingest.tray:Tray", "remove", "before"),
    "sealed, its note gone": ("recorder_sync.ingest.tray", "sync_folder", "after"),
}


@pytest.fixture
def handed_in(dock: Dock, tmp_path: Path) -> Dock:
    """A station with a document in its tray, and no service at work."""
    begun(dock)
    dock.configure(ingest={"immutable": False}, paths={"runtime": str(tmp_path / "run")})
    with Tray(dock.state).receiving(len(PDF), 0) as received:
        received.write(PDF)
        received.complete(GIVEN, "account:custodian")
    return dock


@pytest.mark.parametrize("step", [None, *STEPS])
def test_promise_3_what_is_in_the_tray_is_sealed_by_the_next_start_and_once(
    handed_in: Dock, tmp_path: Path, step: str | None
) -> None:
    dock = handed_in
    if step is not None:
        dies_at(dock, STEPS[step], "run")
    with ExitStack() as stack:
        process = dock.start("run", journal=tmp_path / "journal")
        stack.callback(process.wait)
        stack.callback(process.kill)
        until(lambda: not any((dock.state / FOLDER).iterdir()), "the tray is empty")
        process.terminate()
        process.wait(60)
    (one,) = listed(dock)
    assert (dock.evidence / one["path"]).read_bytes() == PDF
    (seal,) = entries(dock, Act.DOCUMENT)
    assert seal.deed.actor == "account:custodian"
    assert left_in_incoming(dock) == []
    assert verify_here(dock) == []
