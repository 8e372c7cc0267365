"""The main road, end to end, with the real command."""

from tests.conftest import Card, Dock, MediaFiles


def test_a_card_goes_in_and_evidence_comes_out(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("DCIM/DCAM_CAM001_000001_20261123_160000_IMP.mp4", media_files.video)
    card.put("note.wav", media_files.audio)
    done = dock.ingest(card)
    assert done.code in (0, 1), done.err
    assert (done.json["sealed"], done.json["failed"]) == (2, 0)
    assert len(dock.sealed_files()) == 2
    assert dock.run("verify", "--all").code == 0
