"""What waits in the tray is sealed as it was received, or not at all."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from recorder_sync.ingest.documents import seal_handed_in
from recorder_sync.ingest.stopping import Stop
from recorder_sync.ingest.tray import Tray
from recorder_sync.model import CardPath
from recorder_sync.rules.documents import DocumentKind, Given
from tests.conftest import Dock
from tests.documents.handing_in import CASE, PDF, TITLE, begun, left_in_incoming, listed

GIVEN = Given(
    CASE,
    TITLE,
    DocumentKind.ISSUED,
    CardPath("决定书.pdf".encode()),
    "custodian",
    datetime(2026, 11, 23, 8, 0, tzinfo=UTC),
)


def test_art_27_a_document_that_changed_in_the_tray_is_not_sealed(dock: Dock) -> None:
    begun(dock)
    tray = Tray(dock.state)
    with tray.receiving(len(PDF), 0) as received:
        received.write(PDF)
        received.complete(GIVEN, "custodian")
    (file,) = Path(dock.state / "handed-in").glob("*.file")
    file.write_bytes(PDF.replace(b"%%EOF", b"%%eof"))
    (waiting,) = tray.waiting()
    station = dock.station()
    with closing(station.catalogue):
        assert not seal_handed_in(station, tray, waiting, Stop())
    (waiting,) = tray.waiting()
    assert waiting.problem is not None
    assert "not what was received" in str(waiting.problem)
    assert listed(dock) == []
    assert left_in_incoming(dock) == []
