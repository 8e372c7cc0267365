"""What is read back of a document has to be what was written."""

import os
from contextlib import closing
from pathlib import Path

import pytest

from recorder_sync.errors import DocumentFailure
from recorder_sync.ingest import documents
from recorder_sync.ingest.documents import take_in_document
from recorder_sync.ingest.readback import Read, read_back
from recorder_sync.ingest.stopping import Stop
from tests.conftest import Dock
from tests.documents.handing_in import begun, left_in_incoming, listed, paper
from tests.documents.test_tray import GIVEN


def test_promise_2_a_document_that_reads_back_otherwise_is_not_sealed(
    dock: Dock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is honest here; the byte is changed between the write and the read-back."""

    def damaged(handle: int, buffer: memoryview, on_device: bool, **how: object) -> Read:
        with open(f"/proc/self/fd/{handle}", "r+b") as copy:
            copy.write(b"X")
            copy.flush()
            os.fsync(copy.fileno())
        return read_back(handle, buffer, on_device)

    monkeypatch.setattr(documents, "read_back", damaged)
    station = begun(dock).station()
    source = os.open(paper(tmp_path), os.O_RDONLY)
    try:
        with closing(station.catalogue), pytest.raises(DocumentFailure):
            take_in_document(station, source, GIVEN, Stop())
    finally:
        os.close(source)
    assert listed(dock) == []
    assert left_in_incoming(dock) == []
