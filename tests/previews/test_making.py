"""Pictures beside the evidence: made by themselves, kept small, and never in its way."""

import os
import time
from pathlib import Path

import pytest

from recorder_sync.config import load
from recorder_sync.previews.folder import Form, PreviewFolder, State, Wanted
from recorder_sync.previews.maker import PreviewMaker
from tests.conftest import Card, Dock, MediaFiles

A, B, C = (Wanted(letter * 13, Form.THUMBNAIL) for letter in "abc")


def test_what_was_not_looked_at_longest_goes_first(tmp_path: Path) -> None:
    folder = PreviewFolder(tmp_path, 250)
    for number, one in enumerate((A, B)):
        folder.put(one, [b"x" * 100])
        os.utime(folder.path(one), (number, number))
    handle = folder.opened(A)
    assert handle is not None
    os.close(handle)
    folder.put(C, [b"x" * 50, b"x" * 50])
    assert [folder.state(one) for one in (A, B, C)] == [State.READY, State.MISSING, State.READY]
    assert (folder.root.stat().st_mode & 0o777, folder.path(C).stat().st_mode & 0o777) == (
        0o700,
        0o600,
    )


def test_nothing_half_made_has_a_name(tmp_path: Path) -> None:
    folder = PreviewFolder(tmp_path, 1000)

    def cut_off() -> object:
        yield b"half"
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        folder.put(A, cut_off())  # type: ignore[arg-type]
    assert folder.state(A) is State.MISSING
    assert list(folder.root.rglob("*.part")) == []
    folder.note_failure(A, "no film")
    assert (folder.state(A), folder.failure(A)) == (State.NONE, "no film")


@pytest.mark.parametrize(
    "name", ["", "..", "../../../etc/passwd", "A" * 13, "a" * 12, "a" * 12 + "/"]
)
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="is no id"):
        PreviewFolder(tmp_path, 1).path(Wanted(name, Form.PREVIEW))


def test_pictures_are_made_by_themselves_and_the_evidence_stays_untouched(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("DCIM/DCAM_CAM001_000001_20261123_100000.mp4", media_files.video)
    card.put("DCIM/broken.mp4", b"no film")
    ids = {one["original_name"]: one["id"] for one in dock.ingest(card).json["recordings"]}
    before = {p: (p.stat().st_mtime_ns, p.stat().st_size) for p in dock.evidence.rglob("*")}
    settings = load(dock.config)
    maker = PreviewMaker(lambda: settings)
    film = ids["DCAM_CAM001_000001_20261123_100000.mp4"]
    wished = Wanted(film, Form.PREVIEW)
    maker.wish([wished])
    maker.start()
    try:
        wanted = [wished, *(Wanted(one, Form.THUMBNAIL) for one in ids.values())]
        until = time.monotonic() + 60
        while State.MISSING in {maker.folder.state(one) for one in wanted}:
            assert time.monotonic() < until
            time.sleep(0.02)
    finally:
        maker.stop()
    assert maker.folder.state(wished) is State.READY
    assert maker.folder.state(Wanted(ids["broken.mp4"], Form.THUMBNAIL)) is State.NONE
    assert before == {p: (p.stat().st_mtime_ns, p.stat().st_size) for p in dock.evidence.rglob("*")}
    assert dock.run("verify", "--all").code == 0
