"""Evidence folders go away or lead elsewhere: nothing is written outside, nothing is lost."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Card, Dock, MediaFiles
from tests.faults.disk import FaultyDisk
from tests.faults.target import Cards, check_mended, check_mended_on, check_plain, held, use
from tests.ingest.aftermath import check_refused, contents


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder that is nobody's business, with what looks like an incoming area in it."""
    folder = tmp_path / "outside"
    (folder / ".incoming" / "kept").mkdir(parents=True)
    (folder / "thesis").mkdir()
    (folder / "thesis" / "chapter.txt").write_text("years of work")
    (folder / "2026").mkdir()
    return folder


def _swap(path: Path, outside: Path) -> Callable[[], None]:
    """Put a link that leads outside in a folder's place; return what puts it right."""
    aside = outside.with_name("aside")
    path.rename(aside)
    path.symlink_to(outside)

    def put_right() -> None:
        path.unlink()
        aside.rename(path)

    return put_right


@pytest.mark.parametrize(
    "part", [".incoming", "unassigned", "unassigned/2026/11/23", "unassigned/2026"]
)
def test_a_folder_that_leads_out_of_the_evidence_is_refused(
    stocked: Dock, card: Card, media_files: MediaFiles, outside: Path, part: str
) -> None:
    card.put("photo.jpg", media_files.photo.read_bytes() + b"another")  # of the same day
    put_right = _swap(stocked.evidence / part, outside)
    before = contents(outside)
    done = stocked.ingest(card)
    check_refused(done, 3, "evidence folder")
    assert contents(outside) == before
    put_right()
    check_mended(stocked, card, done, "photo.jpg", earlier=1)


def test_an_evidence_folder_that_leads_elsewhere_is_not_the_one_used_before(
    stocked: Dock, card: Card, media_files: MediaFiles, outside: Path
) -> None:
    card.put("clip.mp4", media_files.video)
    shutil.rmtree(outside / ".incoming")
    put_right = _swap(stocked.evidence, outside)
    before = contents(outside)
    done = stocked.ingest(card)
    check_refused(done, 3, "not the one used before")
    assert contents(outside) == before
    put_right()
    check_mended(stocked, card, done, "clip.mp4", earlier=1)


@pytest.mark.parametrize("part", ["", ".incoming", "unassigned", "unassigned/2026/11/23"])
def test_a_folder_that_is_made_to_lead_out_during_a_copy_gets_nothing(
    stocked: Dock, card: Card, media_files: MediaFiles, outside: Path, hostile: Cards, part: str
) -> None:
    names = ("a.mp4", "photo.jpg")
    card.put("a.mp4", media_files.video.read_bytes() + bytes(3 << 20))
    card.put("photo.jpg", media_files.photo.read_bytes() + b"another")
    with held(stocked, hostile(card.path), "a.mp4", 3 << 20) as go_on:
        (docking,) = (p.name for p in (stocked.evidence / ".incoming").iterdir() if p.is_dir())
        for folder in (outside, outside / ".incoming"):
            (folder / docking).mkdir()  # as whoever meant harm would
        put_right = _swap(stocked.evidence / part, outside)
        before = contents(outside)
        done = go_on()
    check_plain(done)
    assert contents(outside) == before
    put_right()
    check_mended(stocked, card, done, *names, earlier=1)


def test_what_failed_with_others_that_could_not_be_sealed_is_in_the_custody_log_too(
    stocked: Dock, card: Card, media_files: MediaFiles, outside: Path, hostile: Cards
) -> None:
    photo = media_files.photo.read_bytes()
    card.put("a.jpg", photo + b"another")
    gone = card.put("b.jpg", photo + b"deleted meanwhile")
    with held(stocked, hostile(card.path), "a.jpg") as go_on:
        gone.unlink()
        put_right = _swap(stocked.evidence / "unassigned", outside)
        done = go_on()
    check_refused(done, 3, "evidence folder")
    put_right()
    check_mended(stocked, card, done, "a.jpg", earlier=1)


def _remove_in_use(folder: Path) -> None:
    """Remove a folder with what the dock puts there meanwhile: the photo is being sealed."""
    while folder.exists():
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("part", [".incoming", ".incoming/*"], ids=["all", "of this docking"])
def test_an_incoming_area_that_is_removed_during_a_copy_is_said(
    stocked: Dock, card: Card, media_files: MediaFiles, hostile: Cards, part: str
) -> None:
    card.put("a.mp4", media_files.video.read_bytes() + bytes(3 << 20))
    card.put("photo.jpg", media_files.photo.read_bytes() + b"another")
    with held(stocked, hostile(card.path), "a.mp4", 3 << 20) as go_on:
        for folder in stocked.evidence.glob(part):
            if folder.is_dir():
                _remove_in_use(folder)
        done = go_on()
    check_plain(done)
    (stocked.evidence / ".incoming").mkdir(exist_ok=True)
    check_mended(stocked, card, done, "a.mp4", "photo.jpg", earlier=1)


def test_a_disk_that_is_unmounted_during_a_copy_leaves_its_mount_point_empty(
    dock: Dock, card: Card, media_files: MediaFiles, disk: FaultyDisk, hostile: Cards
) -> None:
    use(dock, disk)
    card.put("a.mp4", media_files.video.read_bytes() + bytes(3 << 20))
    card.put("photo.jpg", media_files.photo)
    with held(dock, hostile(card.path), "a.mp4", 3 << 20) as go_on:
        subprocess.run(["umount", "--lazy", disk.path], check=True)
        before = contents(disk.path)
        done = go_on()
    check_plain(done)
    assert contents(disk.path) == before
    assert not any(disk.path.iterdir())
    again = dock.ingest(card)
    check_refused(again, 3, "not the one used before", "mounted")
    assert not any(disk.path.iterdir())
    subprocess.run(["mount", disk.device, disk.path], check=True)
    check_mended_on(disk, dock, card, done, "a.mp4", "photo.jpg")
