"""A disk fills up while a document is received or sealed: it is said, and nothing is lost."""

import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from recorder_sync.errors import DocumentFailure, MissingPart
from recorder_sync.ingest.documents import seal_handed_in
from recorder_sync.ingest.stopping import Stop
from recorder_sync.ingest.tray import FOLDER, HandedIn, Tray
from tests.conftest import Dock
from tests.documents.handing_in import PDF, add, begun, left_in_incoming, listed, paper
from tests.documents.test_tray import GIVEN
from tests.faults.target import fill
from tests.ingest.aftermath import mounted
from tests.inspection.furnished import verify_here

_PAGE = 4096


@contextmanager
def _disk(where: Path, size: int) -> Iterator[None]:
    where.mkdir(parents=True, exist_ok=True)
    with mounted("-t", "tmpfs", "-o", f"size={size}", "tmpfs", where):
        yield


def _enlarge(where: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=32m", where], check=True)


def _in_tray(tray: Tray) -> HandedIn:
    with tray.receiving(len(PDF), 0) as received:
        received.write(PDF)
        return received.complete(GIVEN, "custodian")


def test_a_disk_that_is_full_before_a_document_comes_takes_none(tmp_path: Path) -> None:
    with _disk(tmp_path / "state", 1 << 20):
        tray = Tray(tmp_path / "state")
        with pytest.raises(MissingPart, match="too little room"), tray.receiving(1 << 20, 1):
            pass
        assert tray.is_empty()


def test_a_disk_that_fills_up_while_a_document_is_received_keeps_none_of_it(
    tmp_path: Path,
) -> None:
    with _disk(tmp_path / "state", 1 << 20):
        tray = Tray(tmp_path / "state")
        with tray.receiving(len(PDF), 0) as received:
            received.write(PDF)
            ballast = fill(tmp_path / "state")
            with pytest.raises(DocumentFailure, match="disk is full"):
                received.write(bytes(1 << 20))
        assert tray.is_empty()
        ballast.unlink()
        _in_tray(tray)
        assert len(tray.waiting()) == 1


def test_a_disk_with_no_room_for_the_note_keeps_no_document_without_one(tmp_path: Path) -> None:
    with _disk(tmp_path / "state", 1 << 20):
        tray = Tray(tmp_path / "state")
        with tray.receiving(len(PDF), 0) as received:
            received.write(PDF)
            ballast = fill(tmp_path / "state")
            with pytest.raises(DocumentFailure, match="disk is full"):
                received.complete(GIVEN, "custodian")
        assert tray.is_empty()
        assert tray.waiting() == []
        ballast.unlink()
        _in_tray(tray)
        assert len(tray.waiting()) == 1


@pytest.mark.parametrize("pages", [-1, 0, 1, 2])
def test_an_evidence_disk_with_no_room_seals_nothing_half_and_all_of_it_later(
    dock: Dock, tmp_path: Path, pages: int
) -> None:
    """There is room for the copy and for so many pages of its description and lists."""
    file, needed = paper(tmp_path), -(-len(PDF) // _PAGE)
    with _disk(dock.evidence, (needed + pages) * _PAGE):
        begun(dock)
        done = add(dock, file)
        assert done.code in (1, 3), done.out
        assert "Traceback" not in done.err
        assert "→" in done.err, "what to do"
        assert listed(dock) == []
        _enlarge(dock.evidence)
        assert add(dock, file).code == 0
        assert left_in_incoming(dock) == []
        (one,) = listed(dock)
        assert (dock.evidence / one["path"]).read_bytes() == PDF
        assert verify_here(dock) == []


@pytest.mark.parametrize("pages", [-1, 0, 2])
def test_what_does_not_fit_stays_in_the_tray_with_the_reason_and_is_sealed_later(
    dock: Dock, pages: int
) -> None:
    tray = Tray(dock.state)
    with _disk(dock.evidence, (-(-len(PDF) // _PAGE) + pages) * _PAGE):
        begun(dock)
        one, station = _in_tray(tray), dock.station()
        with closing(station.catalogue):
            with suppress(MissingPart):  # where not even the copy fits, nothing at all does
                assert not seal_handed_in(station, tray, one, Stop())
            (waiting,) = tray.waiting()
            assert waiting.problem is not None, "the page says why"
            _enlarge(dock.evidence)
            assert seal_handed_in(station, tray, waiting, Stop())
        assert [one["title"] for one in listed(dock)] == [GIVEN.title]
        assert list((dock.state / FOLDER).iterdir()) == []
        assert left_in_incoming(dock) == []
        assert verify_here(dock) == []
